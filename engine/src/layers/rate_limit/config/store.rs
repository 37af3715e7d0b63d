//! Where limits are counted.

use super::{
    LimitsStore, RedisStore,
    raw::{RawLimitsStore, RawStoreKind},
};
use crate::config::{ConfigEnv, Faults, Problem, pem};

const OF_ADDRESS: &str = "limits_store.address";

impl RawLimitsStore {
    /// The checked store; the default where a fault was found.
    pub(super) fn check(self, env: &ConfigEnv<'_>, faults: &mut Faults) -> LimitsStore {
        match self.kind {
            Some(RawStoreKind::Redis) => return self.redis(env, faults),
            Some(RawStoreKind::Memory) => {
                faults.warning("limits_store.kind", Problem::LimitsInMemory);
            }
            None | Some(RawStoreKind::DynamoDb) => {}
        }
        for (setting, is_set) in [
            ("address", self.address.is_some()),
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
            ("ca_file", self.ca_file.is_some()),
        ] {
            if is_set && !faults.is_replaced("limits_store.kind") {
                faults.problem(format!("limits_store.{setting}"), Problem::RedisAlone);
            }
        }
        match self.kind {
            Some(RawStoreKind::Memory) => LimitsStore::Memory,
            _ => LimitsStore::DynamoDb,
        }
    }

    fn redis(self, env: &ConfigEnv<'_>, faults: &mut Faults) -> LimitsStore {
        if let Some(address) = &self.address {
            check_address(address, faults);
        } else if !faults.is_replaced(OF_ADDRESS) {
            let what = "where Redis is, such as `rediss://cache.example.com:6379`";
            faults.problem(OF_ADDRESS, Problem::Missing { what });
        }
        let path = "limits_store.password";
        let password = self.password.and_then(|raw| raw.fetch(path, env, faults));
        let authority = self
            .ca_file
            .and_then(|file| pem::authorities(&file, "limits_store.ca_file", env, faults));
        LimitsStore::Redis(RedisStore {
            address: self.address.unwrap_or_default(),
            user: self.user,
            password,
            authority,
        })
    }
}

/// The same as where the connection is made, so that a fault is told before anything is deployed.
fn check_address(address: &str, faults: &mut Faults) {
    let schemes = ["redis://", "rediss://", "valkey://", "valkeys://"];
    let rest = schemes
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    match rest {
        // What stands in it may be a password, so it is not shown.
        Some(rest) if rest.contains('@') => {
            faults.problem(OF_ADDRESS, Problem::RedisCredentials);
        }
        Some(rest) if is_address(rest) => {}
        _ => faults.problem(OF_ADDRESS, Problem::RedisAddress),
    }
}

/// `host[:port][/database]`, the host perhaps an IPv6 address in brackets.
fn is_address(rest: &str) -> bool {
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let is_database = database.is_empty()
        || (database.len() <= 3 && database.bytes().all(|b| b.is_ascii_digit()));
    let (is_host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').unwrap_or_default();
        (host.parse::<std::net::Ipv6Addr>().is_ok(), behind)
    } else {
        let (host, _) = authority.split_once(':').unwrap_or((authority, ""));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let port = authority.strip_prefix(host).unwrap_or_default();
        (!host.is_empty() && host.bytes().all(plain), port)
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .and_then(|port| port.parse::<u16>().ok())
            .is_some_and(|port| port > 0);
    is_host && is_port && is_database
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_whole() {
        for good in [
            "localhost",
            "cache.example.com:6379",
            "cache.example.com/0",
            "10.0.0.7:7000/15",
            "[::1]:6379/2",
            "[::1]",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            ":6379",
            "/0",
            "host:",
            "host:0",
            "host:65536",
            "host:port",
            "host:1:2",
            "host/one",
            "host/1000",
            "host/-1",
            "host/0/1",
            "host?protocol=3",
            "host/0#insecure",
            "two hosts",
            "[::1",
            "[host]:6379",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
