//! Where limits are counted.

use super::{
    LimitsStore, RedisStore,
    raw::{RawLimitsStore, RawStoreKind},
};
use crate::config::{ConfigEnv, Faults, Problem, values::shown};

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
        let authority = self.ca_file.and_then(|file| {
            let read = (env.read_file)(&file);
            if let Err(reason) = &read {
                let (file, reason) = (shown(&file), shown(reason));
                faults.problem("limits_store.ca_file", Problem::FileUnread { file, reason });
            }
            read.ok()
        });
        LimitsStore::Redis(RedisStore {
            address: self.address.unwrap_or_default(),
            user: self.user,
            password,
            authority,
        })
    }
}

/// The address is checked as a whole where the connection is made; here it must be one, and hold no credential.
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
        Some(rest) if !rest.is_empty() => {}
        _ => faults.problem(OF_ADDRESS, Problem::RedisAddress),
    }
}
