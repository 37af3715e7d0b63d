//! Real servers of Redis and Valkey, one process each, on the loopback address.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a server that does not start fails the suite"
)]

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use doorward_backends::redis::{Authority, Identity, RedisAddress, RedisConnection};
use doorward_keys::Secret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Which program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `redis-server`.
    Redis,
    /// `valkey-server`.
    Valkey,
}

impl Flavour {
    const fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Valkey => "valkey-server",
        }
    }

    /// The program: in the folder that `tests/e2e/setup.sh stores` fills, or in the path.
    fn find(self) -> Option<PathBuf> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/.venv-stores/bin");
        let path = crate::dynamodb::variable("PATH").unwrap_or_default();
        std::iter::once(own)
            .chain(std::env::split_paths(&path))
            .map(|folder| folder.join(self.program()))
            .find(|file| file.is_file())
    }
}

/// A server. It ends when dropped.
pub struct RedisServer {
    child: Child,
    address: SocketAddr,
}

impl RedisServer {
    const STARTS: u32 = 5;
    const POLLS: u32 = 200;
    const POLL: Duration = Duration::from_millis(25);

    /// Starts a server without persistence, with more `settings` such as `--maxmemory 1mb`; nothing, with a word on it,
    /// where the program is not there.
    ///
    /// # Panics
    ///
    /// Where `CI` is set and the program is not there: a gate that must run does not pass by being skipped. And when the
    /// server does not start.
    pub async fn start(flavour: Flavour, settings: &[&str]) -> Option<Self> {
        let Some(program) = flavour.find() else {
            let missing = flavour.program();
            assert!(
                crate::dynamodb::variable("CI").is_none(),
                "`{missing}` is not there; run tests/e2e/setup.sh stores"
            );
            println!("skipped: `{missing}` is not there; run tests/e2e/setup.sh stores");
            return None;
        };
        for _ in 0..Self::STARTS {
            if let Some(server) = Self::start_on(&program, free_port(), settings).await {
                return Some(server);
            }
        }
        panic!("{} does not start", program.display());
    }

    /// Starts it on `port`; nothing when it ends before it listens, as on a port that was taken meanwhile.
    async fn start_on(program: &Path, port: u16, settings: &[&str]) -> Option<Self> {
        let own_port = if settings.contains(&"--tls-port") {
            "0".to_owned()
        } else {
            port.to_string()
        };
        let port_text = port.to_string();
        let child = Command::new(program)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &own_port])
            .args(settings.iter().map(|setting| match *setting {
                "PORT" => port_text.as_str(),
                other => other,
            }))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let mut server = Self {
            child: child.expect("a program that was found starts"),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        };
        for _ in 0..Self::POLLS {
            if matches!(server.child.try_wait(), Ok(Some(_))) {
                return None;
            }
            if TcpStream::connect(server.address).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Self::POLL).await;
        }
        None
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is reached without TLS and as nobody in particular.
    pub fn connection(&self) -> RedisConnection {
        connection(self.address)
    }

    /// Says `words` to it, each a whole argument, and gives back what it answers first.
    ///
    /// # Panics
    ///
    /// When it cannot be reached.
    pub async fn say(&self, words: &[&[u8]]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let mut text = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            text.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            text.extend_from_slice(word);
            text.extend_from_slice(b"\r\n");
        }
        stream.write_all(&text).await.expect("it reads");
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.expect("it answers");
        String::from_utf8_lossy(answer.get(..length).unwrap_or_default()).into_owned()
    }

    /// Stops it as a machine stops that loses its power, and starts another in its place.
    ///
    /// # Panics
    ///
    /// When the other does not start.
    pub async fn restart(&mut self, flavour: Flavour) {
        self.kill();
        let program = flavour.find().expect("it was there before");
        let port = self.address.port();
        *self = Self::start_on(&program, port, &[])
            .await
            .expect("the port is free again");
    }

    /// Stops it as a machine stops that loses its power.
    pub fn kill(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a server at `address` is reached without TLS and as nobody in particular.
///
/// # Panics
///
/// Never: an address of the loopback interface makes a URL.
pub fn connection(address: SocketAddr) -> RedisConnection {
    RedisConnection {
        address: RedisAddress::parse(&format!("redis://{address}")).expect("a URL"),
        identity: Identity::default(),
        authority: Authority::default(),
        patience: crate::limits::CALM,
    }
}

/// As `user` with `password`.
pub fn identity(user: &str, password: &str) -> Identity {
    Identity {
        user: Some(user.to_owned()),
        password: Some(Secret::new(password.to_owned())),
    }
}

/// A certificate for the loopback address, in files that end with it, and the authority that vouches for it.
pub struct Certificate {
    folder: PathBuf,
    /// The authority, in PEM.
    pub authority: String,
}

impl Certificate {
    /// A new one.
    ///
    /// # Panics
    ///
    /// When it cannot be made or written.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("doorward-tls-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let authority = made.cert.pem();
        std::fs::write(folder.join("cert.pem"), &authority).expect("a file");
        let key = made.signing_key.serialize_pem();
        std::fs::write(folder.join("key.pem"), key).expect("a file");
        Self { folder, authority }
    }

    /// The settings of a server that speaks TLS with it and nothing else.
    pub fn settings(&self) -> Vec<String> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        [
            ("--tls-port", "PORT".to_owned()),
            ("--tls-cert-file", file("cert.pem")),
            ("--tls-key-file", file("key.pem")),
            ("--tls-ca-cert-file", file("cert.pem")),
            ("--tls-auth-clients", "no".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // What is left lies in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_or(0, |address| address.port())
}
