//! Which table and which configuration a command works on: those that it names, or those of the running `doorward local`.

use aws_sdk_dynamodb::Client;
use doorward_backends::{
    dynamodb::{Connection, DynamoKeys, Patience, connect},
    sources::ConfigSource,
};
use doorward_engine::config::Checked;

use crate::{
    configuration::{Document, parse_source},
    dynamodb,
    exit::Failure,
    local,
    state::{Running, StateFolder},
};

/// What the command line says of table and configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// `--table`.
    pub table: Option<&'a str>,
    /// `--endpoint`.
    pub endpoint: Option<&'a str>,
    /// `--config`.
    pub config: Option<&'a ConfigSource>,
}

/// Where keys and counts are.
#[derive(Clone, Debug)]
pub struct Tables {
    /// A client that reaches them.
    pub client: Client,
    /// The name of the table with the keys.
    pub keys: String,
    /// The name of the table with the counters, where it is known.
    pub counters: Option<String>,
}

/// What to do about the secrets of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Without them the command cannot be done.
    Fetched,
    /// The command has no use for them.
    StoodInFor,
}

impl Target<'_> {
    /// The gateway that runs here, unless a table is named: then it has nothing to do with the command.
    fn running(&self) -> Option<Running> {
        if self.table.is_some() {
            None
        } else {
            StateFolder::here().find()
        }
    }

    /// The keys of the table, or `None` when no table is named and no gateway runs here.
    pub async fn keys(&self, patience: Patience) -> Option<DynamoKeys> {
        let tables = self.tables(patience).await?;
        Some(DynamoKeys::new(tables.client, tables.keys))
    }

    /// The tables, or `None` when none is named and no gateway runs here.
    pub async fn tables(&self, patience: Patience) -> Option<Tables> {
        if let Some(table) = self.table {
            let connection = match self.endpoint {
                Some(url) if is_loopback(url) => Connection {
                    patience,
                    ..dynamodb::connection(url)
                },
                endpoint => {
                    let variable = |name: &str| std::env::var_os(name)?.into_string().ok();
                    let found = Connection::from_environment(variable, patience);
                    Connection {
                        endpoint_url: endpoint.map(str::to_owned).or(found.endpoint_url),
                        ..found
                    }
                }
            };
            return Some(Tables {
                client: connect(connection).await,
                keys: table.to_owned(),
                counters: None,
            });
        }
        let running = self.running()?;
        let connection = Connection {
            patience,
            ..dynamodb::connection(&running.dynamodb)
        };
        Some(Tables {
            client: connect(connection).await,
            keys: running.table,
            counters: Some(running.counters_table),
        })
    }

    /// The configuration: the one named, that of the running gateway, or doorward.toml.
    ///
    /// # Errors
    /// When it cannot be read or has faults.
    pub async fn configuration(&self, secrets: Secrets) -> Result<Checked, Failure> {
        let document = self.document().await?;
        match secrets {
            Secrets::Fetched => document.read().await,
            Secrets::StoodInFor => document.read_without_secrets(),
        }
    }

    /// The text of that configuration.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn document(&self) -> Result<Document, Failure> {
        Ok(match (self.config, self.running()) {
            (Some(source), _) => Document::fetch(source.clone()).await?,
            (None, Some(running)) => match &running.config {
                Some(source) => {
                    Document::fetch(parse_source(source).map_err(Failure::usage)?).await?
                }
                None => Document::given(local::demo(&running.issuer), "demo.toml"),
            },
            (None, None) => Document::fetch(ConfigSource::File("doorward.toml".into())).await?,
        })
    }
}

fn is_loopback(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_get_made_up_credentials() {
        for url in [
            "http://127.0.0.1:8000",
            "http://localhost:8000/",
            "http://[::1]:8000",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://localhost.example.com",
            "nonsense",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
