//! One connection, made when it is needed, shared by all callers, and made anew when it breaks.

use std::time::Duration;

use doorward_engine::limits::LimitStoreError;
use doorward_keys::Secret;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, TlsCertificates, aio::MultiplexedConnection,
};
use tokio::sync::Mutex;

use super::RedisAddress;
use crate::message::one_line;

/// Whom a server is believed to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authority {
    /// Whoever the machine's own roots vouch for.
    #[default]
    System,
    /// Whoever the certificates in this PEM text vouch for, and nobody else.
    Pem(String),
}

/// As whom a server is asked.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The user of the access control list; absent for the default user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret<String>>,
}

/// A server and how to reach it.
#[derive(Clone, Debug)]
pub struct RedisConnection {
    /// Where it is.
    pub address: RedisAddress,
    /// As whom it is asked.
    pub identity: Identity,
    /// Whom it is believed to be, with TLS.
    pub authority: Authority,
}

/// The line to a server.
pub(super) struct Line {
    client: Client,
    address: String,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections, so that who reports one as broken does not close its successor.
    number: u64,
}

impl Line {
    /// The longest time until a connection stands, TLS and user included.
    const CONNECT: Duration = Duration::from_millis(200);
    /// The longest time for one answer.
    const ANSWER: Duration = Duration::from_millis(100);

    /// A line to the server of `connection`; nothing is sent yet.
    pub(super) fn new(connection: &RedisConnection) -> Result<Self, LimitStoreError> {
        let address = connection.address.to_string();
        let built = build(connection).map_err(|error| failure(&address, &error))?;
        Ok(Self {
            client: built,
            address,
            held: Mutex::default(),
        })
    }

    /// The connection and its number; made when there is none. Callers who come meanwhile wait for the same one.
    pub(super) async fn connection(&self) -> Result<(MultiplexedConnection, u64), LimitStoreError> {
        let mut held = self.held.lock().await;
        if let Some(connection) = &held.connection {
            return Ok((connection.clone(), held.number));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Self::CONNECT))
            .set_response_timeout(Some(Self::ANSWER));
        let made = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let made = tokio::time::timeout(Self::CONNECT, made).await;
        let made = made.map_err(|_| self.late())?;
        let made = made.map_err(|error| self.failure(&error))?;
        held.number = held.number.wrapping_add(1);
        held.connection = Some(made.clone());
        Ok((made, held.number))
    }

    /// Lets go of connection `number`, which broke.
    pub(super) async fn let_go(&self, number: u64) {
        let mut held = self.held.lock().await;
        if held.number == number {
            held.connection = None;
        }
    }

    pub(super) fn failure(&self, error: &RedisError) -> LimitStoreError {
        failure(&self.address, error)
    }

    pub(super) fn late(&self) -> LimitStoreError {
        LimitStoreError::Unavailable(format!("`{}`: no answer in time", self.address))
    }
}

fn build(connection: &RedisConnection) -> Result<Client, RedisError> {
    let mut settings = RedisConnectionInfo::default()
        .set_db(connection.address.database)
        .set_skip_set_lib_name();
    if let Some(user) = &connection.identity.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &connection.identity.password {
        settings = settings.set_password(password.expose());
    }
    let info: ConnectionInfo = connection.address.target().into_connection_info()?;
    let info = info.set_redis_settings(settings);
    match &connection.authority {
        Authority::Pem(pem) if connection.address.is_encrypted => {
            let certificates = TlsCertificates {
                client_tls: None,
                root_cert: Some(pem.clone().into_bytes()),
            };
            Client::build_with_tls(info, certificates)
        }
        _ => Client::open(info),
    }
}

/// What failed, in one line, without what was sent.
fn failure(address: &str, error: &RedisError) -> LimitStoreError {
    let cause = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        one_line(&error.to_string())
    };
    LimitStoreError::Unavailable(format!("`{address}`: {cause}"))
}
