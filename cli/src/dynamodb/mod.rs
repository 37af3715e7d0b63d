//! A `DynamoDB` inside this process, on the loopback address: `SQLite` behind the `DynamoDB` API, in memory or in a file.
//!
//! For this machine only. It asks nobody who they are, so it listens on 127.0.0.1 and nowhere else; credentials may be
//! anything. As on AWS, an expired item stays readable until it is swept.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use doorward_backends::dynamodb::{
    Connection, Patience, TableNames, connect, create_missing_tables,
};
use doorward_keys::StoreError;
use dynoxide::{Database, server::serve_with_shutdown};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Where the data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Nowhere: it ends with the process.
    Memory,
    /// In this file, which is made when missing.
    File(PathBuf),
}

/// Why the embedded `DynamoDB` did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The file cannot be opened as a database.
    #[error(
        "cannot open `{0}` as a database: {1}; name another file, or delete this one to begin anew"
    )]
    Storage(String, String),
    /// The port is taken or not allowed.
    #[error("cannot listen on 127.0.0.1:{0}: {1}; choose another port, or 0 for a free one")]
    Listen(u16, std::io::Error),
    /// The tables cannot be made.
    #[error("cannot create the tables: {0}")]
    Tables(#[from] StoreError),
}

/// A running `DynamoDB` with both tables in it. It stops when dropped, or by [`EmbeddedDynamo::stop`].
#[derive(Debug)]
pub struct EmbeddedDynamo {
    client: Client,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<Result<(), String>>,
}

impl EmbeddedDynamo {
    /// Opens the storage, listens on `port` of the loopback address (0 for a free one) and creates the tables that are
    /// missing. Needs a tokio runtime with time and I/O.
    pub async fn start(
        storage: &Storage,
        port: u16,
        tables: &TableNames,
    ) -> Result<Self, EmbeddedError> {
        let database = open(storage)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| EmbeddedError::Listen(port, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| EmbeddedError::Listen(port, error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve_with_shutdown(listener, database, async {
            // A dropped sender stops the server as well.
            let _ = stopped.await;
        }));
        let client = connect(connection(&format!("http://{address}"))).await;
        let running = Self {
            client,
            address,
            stop: Some(stop),
            served,
        };
        create_missing_tables(&running.client, tables).await?;
        Ok(running)
    }

    /// A client on it, without TLS.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Its address, for `AWS_ENDPOINT_URL_DYNAMODB` of another process.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening and waits until the last request is answered.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself; then there is nobody to tell.
            let _ = stop.send(());
        }
        // Clients keep connections open, and the server waits for them: this one goes first.
        let Self { client, served, .. } = self;
        drop(client);
        let _ = served.await;
    }
}

/// How to reach a `DynamoDB` of this machine under `endpoint_url`: plain HTTP, made-up credentials, any region.
pub fn connection(endpoint_url: &str) -> Connection {
    Connection {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint_url.to_owned()),
        credentials: Some(Credentials::new("local", "local", None, None, "local")),
        patience: Patience::ADMIN,
    }
}

fn open(storage: &Storage) -> Result<Database, EmbeddedError> {
    let named = |path: &Path| path.display().to_string();
    let (name, opened) = match storage {
        Storage::Memory => ("memory".to_owned(), Database::memory()),
        Storage::File(path) => (named(path), Database::new(&path.to_string_lossy())),
    };
    opened.map_err(|error| EmbeddedError::Storage(name, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_in_the_file_survives_a_restart() {
        let folder = std::env::temp_dir().join(format!("doorward-embedded-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let storage = Storage::File(folder.join("keys.db"));
        let names = TableNames::default();
        for start in 0..2 {
            let dynamo = EmbeddedDynamo::start(&storage, 0, &names).await.unwrap();
            let client = dynamo.client();
            let key = aws_sdk_dynamodb::types::AttributeValue::S("here".to_owned());
            let found = client
                .get_item()
                .table_name(&names.counters)
                .key("pk", key.clone())
                .key("sk", key.clone())
                .send()
                .await
                .unwrap();
            assert_eq!(found.item.is_some(), start == 1);
            client
                .put_item()
                .table_name(&names.counters)
                .item("pk", key.clone())
                .item("sk", key)
                .send()
                .await
                .unwrap();
            dynamo.stop().await;
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_is_refused_with_advice() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = EmbeddedDynamo::start(&Storage::Memory, port, &TableNames::default())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("choose another port"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let path = std::env::temp_dir().join(format!("doorward-no-db-{}", std::process::id()));
        std::fs::write(&path, "no database ".repeat(100)).unwrap();
        let storage = Storage::File(path.clone());
        let error = EmbeddedDynamo::start(&storage, 0, &TableNames::default())
            .await
            .unwrap_err();
        assert!(matches!(error, EmbeddedError::Storage(..)), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}
