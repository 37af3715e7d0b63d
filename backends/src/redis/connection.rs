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
use crate::{dynamodb::Patience, message::one_line};

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
    /// How long a call may take.
    pub patience: Patience,
}

/// The line to a server.
pub(super) struct Line {
    client: Client,
    address: String,
    patience: Patience,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    connection: Option<MultiplexedConnection>,
    /// Counts the connections, so that who reports one as broken does not close its successor.
    number: u64,
}

impl Line {
    /// A line to the server of `connection`; nothing is sent yet.
    pub(super) fn new(connection: &RedisConnection) -> Result<Self, LimitStoreError> {
        let address = connection.address.to_string();
        // Without any certificate nobody would be believed, which is a fault of the configuration and not of a server.
        if let Authority::Pem(pem) = &connection.authority
            && !pem.contains("-----BEGIN CERTIFICATE-----")
        {
            let text = format!("`{address}`: the authority holds no certificate in PEM form");
            return Err(LimitStoreError::Unavailable(text));
        }
        let built = build(connection).map_err(|error| failure(&address, &error))?;
        Ok(Self {
            client: built,
            address,
            patience: connection.patience,
            held: Mutex::default(),
        })
    }

    /// The connection and its number; made when there is none. Callers who come meanwhile wait for the same one.
    pub(super) async fn connection(&self) -> Result<(MultiplexedConnection, u64), LimitStoreError> {
        self.connection_within(self.patience.connect).await
    }

    /// The same, where making one may take another time.
    pub(super) async fn connection_within(
        &self,
        time: Duration,
    ) -> Result<(MultiplexedConnection, u64), LimitStoreError> {
        let mut held = self.held.lock().await;
        if let Some(connection) = &held.connection {
            return Ok((connection.clone(), held.number));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(time))
            .set_response_timeout(Some(self.patience.attempt));
        let made = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let made = tokio::time::timeout(time, made).await;
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

    pub(super) const fn patience(&self) -> Patience {
        self.patience
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
