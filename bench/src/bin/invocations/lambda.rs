//! The side of Lambda that a function sees, as small as can be, so that little besides the function is timed: one thread for
//! each connection, blocking reads, no framework (AWS: Lambda runtime API, Lambda extensions API).

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use anyhow::Context as _;
use doorward_authorizer::clock::stopwatch;
use serde_json::Value;

/// How long a function may take for one event before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a function did.
pub(crate) enum Heard {
    /// It asked for its first event then.
    Ready(Duration),
    /// It answered an event.
    Answered(Answered),
}

/// An answer.
pub(crate) struct Answered {
    /// From the event's last byte to the answer's last byte.
    pub(crate) took: Duration,
    /// When its last byte was there.
    pub(crate) at: Duration,
    /// What it says; an error of the function is `Err` with its type or message.
    pub(crate) said: Result<Value, String>,
}

/// Lambda, for one process.
pub(crate) struct Lambda {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    heard: Receiver<Heard>,
}

struct Shared {
    events: Mutex<VecDeque<String>>,
    more: Condvar,
    state: Mutex<State>,
    heard: Sender<Heard>,
    key_set: String,
}

#[derive(Default)]
struct State {
    is_ready: bool,
    sent: Duration,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lambda {
    /// Listens on a free port. Serves `key_set` too, at `/keys`.
    pub(crate) fn start(key_set: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (heard, receiver) = channel();
        let shared = Arc::new(Shared {
            events: Mutex::default(),
            more: Condvar::new(),
            state: Mutex::default(),
            heard,
            key_set,
        });
        let of_threads = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_threads);
                // A connection that breaks is a process that ended.
                thread::spawn(move || serve(&stream, &shared));
            }
        });
        Ok(Self {
            address,
            shared,
            heard: receiver,
        })
    }

    /// When the function asked for its first event.
    pub(crate) fn ready(&self) -> anyhow::Result<Duration> {
        match self
            .heard
            .recv_timeout(PATIENCE)
            .context("the function does not start")?
        {
            Heard::Ready(at) => Ok(at),
            Heard::Answered(_) => anyhow::bail!("an answer without an event"),
        }
    }

    /// Hands out one event and waits for the answer.
    pub(crate) fn invoke(&self, event: &str) -> anyhow::Result<Answered> {
        held(&self.shared.events).push_back(event.to_owned());
        self.shared.more.notify_one();
        match self
            .heard
            .recv_timeout(PATIENCE)
            .context("the function does not answer")?
        {
            Heard::Answered(answered) => Ok(answered),
            Heard::Ready(_) => anyhow::bail!("the function started twice"),
        }
    }
}

/// One request: method, path, body.
fn request(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let (mut length, mut is_chunked) = (0, false);
    let mut header = String::new();
    loop {
        header.clear();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "transfer-encoding" => is_chunked = value.contains("chunked"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while is_chunked {
        header.clear();
        reader.read_line(&mut header)?;
        let size = usize::from_str_radix(header.trim(), 16).unwrap_or(0);
        let mut chunk = vec![0; size.saturating_add(2)];
        reader.read_exact(&mut chunk)?;
        chunk.truncate(size);
        is_chunked = size > 0;
        body.extend(chunk);
    }
    Ok(Some((line, body)))
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = request(&mut reader)? {
        let arrived = stopwatch();
        let path = line.split(' ').nth(1).unwrap_or_default();
        let mut out = stream;
        if path.ends_with("/invocation/next") {
            let event = next(shared, arrived);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\nlambda-runtime-deadline-ms: 4102444800000\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:111122223333:function:f\r\n\
                 lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\r\n{event}",
                event.len()
            );
            // The clock runs from the moment the event is handed to the kernel.
            held(&shared.state).sent = stopwatch();
            out.write_all(head.as_bytes())?;
        } else if path.ends_with("/response") || path.ends_with("/error") {
            let said: Value = serde_json::from_slice(&body).unwrap_or_default();
            let said = if path.ends_with("/error") {
                let name = said.get("errorMessage").or_else(|| said.get("errorType"));
                Err(name.and_then(Value::as_str).unwrap_or("?").to_owned())
            } else {
                Ok(said)
            };
            let answered = Answered {
                took: arrived.saturating_sub(held(&shared.state).sent),
                at: arrived,
                said,
            };
            let _ = shared.heard.send(Heard::Answered(answered));
            out.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
        } else if path.ends_with("/extension/register") {
            out.write_all(b"HTTP/1.1 200 OK\r\nlambda-extension-identifier: 7b2c\r\ncontent-length: 2\r\n\r\n{}")?;
        } else if path.ends_with("/extension/event/next") {
            thread::park();
        } else if path == "/keys" {
            let body = &shared.key_set;
            let length = body.len();
            write!(
                out,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            )?;
        } else {
            out.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
    Ok(())
}

/// Waits for an event.
fn next(shared: &Shared, arrived: Duration) -> String {
    let mut state = held(&shared.state);
    if !state.is_ready {
        state.is_ready = true;
        let _ = shared.heard.send(Heard::Ready(arrived));
    }
    drop(state);
    let mut events = held(&shared.events);
    loop {
        if let Some(event) = events.pop_front() {
            return event;
        }
        events = shared
            .more
            .wait(events)
            .unwrap_or_else(PoisonError::into_inner);
    }
}
