//! A line between a client and a server that can be cut, or go dumb, while it is in use.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// What the line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It passes everything on.
    Whole,
    /// It is open and passes nothing on.
    Dumb,
    /// Whoever uses it is thrown out.
    Cut,
}

/// A line to a server.
pub struct Line {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    opened: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Line {
    /// A whole line to `server`.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub async fn to(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (mode, seen) = watch::channel(Mode::Whole);
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let task = tokio::spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                calls.spawn(carry(client, server, seen.clone()));
            }
        });
        Ok(Self {
            address,
            mode,
            opened,
            task,
        })
    }

    /// Where it is entered.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes it, for connections that are open as well.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many connections were opened.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries one connection as long as the line is whole. One that was met by a dumb line never speaks again, as a
/// connection whose other end is gone.
async fn carry(mut client: TcpStream, server: SocketAddr, mut mode: watch::Receiver<Mode>) {
    if *mode.borrow_and_update() == Mode::Whole {
        let Ok(mut server) = TcpStream::connect(server).await else {
            return;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = mode.changed() => {}
        }
    }
    // Until it is cut, or the line is gone.
    let _ = mode.wait_for(|mode| *mode == Mode::Cut).await;
}
