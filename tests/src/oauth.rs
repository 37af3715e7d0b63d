//! An authorization server behind a real socket, which answers as a test wants it to, fast, late, wrong or not at all.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// What it does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers at once with this status and body.
    Answer(u16, String),
    /// Answers so much later.
    Late(Duration, String),
    /// Reads the request and says nothing.
    Silence,
    /// Answers 200 and then one byte a second.
    Trickle,
    /// Answers 200 with so many bytes.
    Long(usize),
    /// Hangs up.
    HangUp,
}

/// A server. It ends when dropped.
pub struct OAuthServer {
    /// Where it listens.
    pub url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    heard: AtomicUsize,
    last: Mutex<String>,
}

impl OAuthServer {
    /// Listens on a free port.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn start(behaviour: Behaviour) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address: SocketAddr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            heard: AtomicUsize::new(0),
            last: Mutex::default(),
        });
        let of_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&of_task)));
            }
        });
        Ok(Self {
            url: format!("http://{address}"),
            shared,
            task,
        })
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self
            .shared
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// How many requests came.
    pub fn heard(&self) -> usize {
        self.shared.heard.load(Ordering::SeqCst)
    }

    /// The last request, head and body.
    pub fn last(&self) -> String {
        let last = &self.shared.last;
        last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for OAuthServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    loop {
        let request = request(&mut stream).await?;
        shared.heard.fetch_add(1, Ordering::SeqCst);
        *shared.last.lock().unwrap_or_else(PoisonError::into_inner) = request;
        let behaviour = shared
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match behaviour {
            Behaviour::Answer(status, body) => answer(&mut stream, status, &body).await?,
            Behaviour::Late(by, body) => {
                sleep(by).await;
                answer(&mut stream, 200, &body).await?;
            }
            Behaviour::Silence => sleep(Duration::from_secs(30)).await,
            Behaviour::Trickle => {
                head(&mut stream, 200, 100).await?;
                for _ in 0..100 {
                    stream.write_all(b" ").await.ok()?;
                    sleep(Duration::from_secs(1)).await;
                }
            }
            Behaviour::Long(bytes) => {
                // Without a length, so that whoever reads has to count.
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                    .await
                    .ok()?;
                let piece = vec![b' '; 64 * 1024];
                for _ in 0..bytes.div_ceil(piece.len()) {
                    stream.write_all(&piece).await.ok()?;
                }
                return None;
            }
            Behaviour::HangUp => return None,
        }
    }
}

async fn answer(stream: &mut TcpStream, status: u16, body: &str) -> Option<()> {
    head(stream, status, body.len()).await?;
    stream.write_all(body.as_bytes()).await.ok()
}

async fn head(stream: &mut TcpStream, status: u16, length: usize) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.ok()
}

/// One request: its head, and as much body as it says.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let mut text = String::from_utf8(bytes).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    text.push_str(&String::from_utf8(body).ok()?);
    Some(text)
}
