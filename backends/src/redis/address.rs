//! Where a server is.

use redis::ConnectionAddr;

/// The address of a server, such as `rediss://cache.example.com:6379/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisAddress {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: i64,
    pub(super) is_encrypted: bool,
}

/// Why a text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not a URL of the right scheme.
    #[error(
        "is not an address of Redis or Valkey; write `rediss://host:port` or, without TLS, `redis://host:port`"
    )]
    Form,
    /// User or password in the address.
    #[error("holds a user or a password; name the user apart, and the password by reference")]
    Credentials,
    /// Something behind the database.
    #[error("holds a query or a fragment, which are not known here")]
    Rest,
    /// A path that is no number.
    #[error("names a database that is no number between 0 and 999")]
    Database,
}

impl RedisAddress {
    /// The port of Redis and Valkey.
    pub const PORT: u16 = 6379;

    /// Reads `redis://host[:port][/database]`; `rediss` stands for TLS, `valkey` and `valkeys` for the same two.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let url = reqwest::Url::parse(text).map_err(|_| AddressFault::Form)?;
        let is_encrypted = match url.scheme() {
            "rediss" | "valkeys" => true,
            "redis" | "valkey" => false,
            _ => return Err(AddressFault::Form),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressFault::Rest);
        }
        // Brackets belong to the URL, not to the address of IPv6.
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(AddressFault::Form);
        }
        let database = match url.path().trim_start_matches('/') {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number: &i64| (0..1000).contains(number))
                .ok_or(AddressFault::Database)?,
        };
        Ok(Self {
            host: host.to_owned(),
            port: url.port().unwrap_or(Self::PORT),
            database,
            is_encrypted,
        })
    }

    pub(super) fn target(&self) -> ConnectionAddr {
        let host = self.host.clone();
        if self.is_encrypted {
            ConnectionAddr::TcpTls {
                host,
                port: self.port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, self.port)
        }
    }
}

impl std::fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_defaults() {
        let plain = RedisAddress::parse("redis://localhost").unwrap();
        assert_eq!(
            (plain.port, plain.database, plain.is_encrypted),
            (6379, 0, false)
        );
        let full = RedisAddress::parse("valkeys://cache.example.com:7000/3").unwrap();
        assert_eq!(
            (full.port, full.database, full.is_encrypted),
            (7000, 3, true)
        );
        assert_eq!(full.to_string(), "cache.example.com:7000");
        assert_eq!(
            RedisAddress::parse("rediss://[::1]:1/").unwrap().host,
            "::1"
        );
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for (text, fault) in [
            ("", AddressFault::Form),
            ("localhost:6379", AddressFault::Form),
            ("http://localhost", AddressFault::Form),
            ("redis://", AddressFault::Form),
            ("redis+unix:///tmp/socket", AddressFault::Form),
            ("redis://user@host", AddressFault::Credentials),
            ("redis://:password@host", AddressFault::Credentials),
            ("rediss://host/#insecure", AddressFault::Rest),
            ("redis://host/0?protocol=3", AddressFault::Rest),
            ("redis://host/one", AddressFault::Database),
            ("redis://host/-1", AddressFault::Database),
        ] {
            assert_eq!(RedisAddress::parse(text), Err(fault), "{text}");
        }
    }
}
