//! API keys: one read at most, every reason told apart for the log and none for the caller.
//!
//! The order of work: form, prefix, environment and checksum without any I/O; the digest; one read by exact digest, or
//! none where the answer is remembered; the full digest compared in constant time; environment, status, expiry and
//! address list of the record. Every refusal before the address list has the class
//! [`Unauthenticated`](crate::Class::Unauthenticated), so that the caller cannot tell an unknown key from a dead one.
//!
//! A decoy opens nothing ([`Reason::DecoyKey`]), also when its time is over: only a decoy that is disabled or revoked is refused
//! like any other key that is.
//!
//! A key that was made elsewhere has no checksum. It is looked up when it fits one of the configured forms: by its digest under
//! the pepper in force, under the one before, and, where nothing is found, by its former hash. What fits no form is refused
//! without I/O. One that is found by a former hash and let in is noted, and after the answer it is asked for that it be kept
//! under its proper digest (`rehashes`): from then on the first read finds it.
//!
//! A found key is remembered for `cache_seconds`, an unknown one for `negative_cache_seconds`. The first is this layer's
//! part of the delay of a revocation. Expiry is looked at on every use. A store that fails refuses with
//! [`Reason::KeyStoreUnavailable`] or [`Reason::KeyStoreCorrupt`], and the failure is not remembered.

mod cache;
mod config;
mod imported;
mod rehashes;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use doorward_keys::{
    Digest, KeyId, KeyLookup, KeyRecord, KeyStatus, Rehash, RehashSink, StoreError, Timestamp,
    foreign::Places, format::FormatFault,
};

use self::{cache::KeyCache, rehashes::Rehashes};
use crate::{
    denial::{Denial, Reason},
    identity::{Client, Known},
    layers::ip_allow::{self, AddressRules},
};

pub use config::ApiKeysConfig;
pub(crate) use config::RawApiKeys;

/// Verifies API keys.
pub struct ApiKeys {
    config: ApiKeysConfig,
    lookup: Arc<dyn KeyLookup>,
    cache: KeyCache,
    rehashes: Option<Rehashes>,
}

/// A record that was looked for, and whether it was read just now.
struct Found {
    record: Arc<Known<KeyRecord>>,
    is_read: bool,
}

impl ApiKeys {
    /// A verifier that finds keys with `lookup`.
    pub fn new(config: ApiKeysConfig, lookup: Arc<dyn KeyLookup>) -> Self {
        let cache = KeyCache::new(&config);
        Self {
            config,
            lookup,
            cache,
            rehashes: None,
        }
    }

    /// The same, which has keys that it finds by a former hash kept as keys of ours are.
    #[must_use]
    pub fn with_rehashes(self, sink: Arc<dyn RehashSink>) -> Self {
        Self {
            rehashes: Some(Rehashes::new(sink)),
            ..self
        }
    }

    /// Asks for what it noted since it was last asked to. For the time after an answer.
    ///
    /// # Errors
    /// When there is no place for it; the rest is asked for the next time.
    pub async fn ask_rehashes(&self, now: Timestamp) -> Result<(), StoreError> {
        match &self.rehashes {
            Some(rehashes) => rehashes.ask(now).await,
            None => Ok(()),
        }
    }

    /// Verifies `printed`, presented from `address` at `now`. Whatever comes of it, `found` says whose key it is, once that
    /// is known.
    pub async fn verify(
        &self,
        printed: &str,
        address: Option<IpAddr>,
        now: Timestamp,
        found: &mut Option<KeyId>,
    ) -> Result<Client, Denial> {
        let client = self.recognise(printed, now, found).await?;
        admits(&client, address)?;
        Ok(client)
    }

    /// Verifies `printed` at `now`, wherever it is presented.
    pub(crate) async fn recognise(
        &self,
        printed: &str,
        now: Timestamp,
        found: &mut Option<KeyId>,
    ) -> Result<Client, Denial> {
        let places = self.places(printed, now)?;
        let Some(Found { record, is_read }) = self.find(&places, now).await? else {
            return Err(Denial::new(Reason::KeyUnknown, "no key with this digest"));
        };
        *found = Some(record.id.clone());
        self.admit(&record, now)?;
        if is_read {
            self.note(&record, &places);
        }
        Ok(Client { record })
    }

    /// Notes a key that was found by a former hash.
    fn note(&self, record: &KeyRecord, places: &Places) {
        if let Some(rehashes) = &self.rehashes
            && places.former.contains(&record.digest)
            && let Some(proper) = places.own.first()
        {
            let pepper = self.config.format.pepper.as_ref();
            if let Some(rehash) = Rehash::of(record, proper.clone(), pepper) {
                rehashes.note(rehash);
            }
        }
    }

    /// The same, but only if the key is in memory.
    pub(crate) fn recall(&self, printed: &str, now: Timestamp) -> Option<Client> {
        let places = self.places(printed, now).ok()?;
        let mut remembered = places.iter().map(|digest| self.cache.find(digest, now));
        let record = remembered.find_map(|found| found?.record())?;
        self.admit(&record, now).ok()?;
        Some(Client { record })
    }

    /// The record at the first of `places` that has one, from memory or from the store.
    async fn find(&self, places: &Places, now: Timestamp) -> Result<Option<Found>, Denial> {
        for digest in places.iter() {
            let remembered = self.cache.find(digest, now);
            let is_read = remembered.is_none();
            let record = match remembered {
                Some(remembered) => remembered.record(),
                None => self.read(digest, places, now).await?,
            };
            if let Some(record) = record {
                return Ok(Some(Found { record, is_read }));
            }
        }
        Ok(None)
    }

    /// Under which digests `printed` may be kept: exactly one for a key of ours.
    fn places(&self, printed: &str, now: Timestamp) -> Result<Places, Denial> {
        let ApiKeysConfig {
            format, imported, ..
        } = &self.config;
        imported.find(printed, format, now).map_err(malformed)
    }

    async fn read(
        &self,
        digest: &Digest,
        places: &Places,
        now: Timestamp,
    ) -> Result<Option<Arc<Known<KeyRecord>>>, Denial> {
        let found = self
            .lookup
            .lookup(digest)
            .await
            .map_err(|error| match error {
                StoreError::Corrupt(_) => Denial::new(Reason::KeyStoreCorrupt, error.to_string()),
                StoreError::Unavailable(_) | StoreError::Conflict(_) => {
                    Denial::new(Reason::KeyStoreUnavailable, error.to_string())
                }
            })?;
        // The comparison is of whole digests and in constant time; a store that answers with another key is not believed. A key
        // that has moved is found under any of its digests.
        let is_shown = |record: &KeyRecord| places.iter().any(|one| *one == record.digest);
        if found.as_ref().is_some_and(|record| !is_shown(record)) {
            return Err(Denial::new(
                Reason::KeyStoreCorrupt,
                "the key store answered with another key",
            ));
        }
        let found = found.map(|record| Arc::new(Known::from(record)));
        let kept_under = found.as_ref().map_or(digest, |record| &record.digest);
        self.cache.keep(kept_under, found.clone(), now);
        Ok(found)
    }

    fn admit(&self, record: &KeyRecord, now: Timestamp) -> Result<(), Denial> {
        let id = &record.id;
        if !self
            .config
            .format
            .environments
            .contains(&record.environment)
        {
            let detail = format!("{id} belongs to the environment `{}`", record.environment);
            return Err(Denial::new(Reason::KeyEnvironment, detail));
        }
        match record.status {
            KeyStatus::Active => {}
            KeyStatus::Disabled => {
                return Err(Denial::new(
                    Reason::KeyDisabled,
                    format!("{id} is disabled"),
                ));
            }
            KeyStatus::Revoked => {
                return Err(Denial::new(Reason::KeyRevoked, format!("{id} is revoked")));
            }
        }
        // Before expiry: what was planted stays where it is, and is found when it is found.
        if record.decoy {
            return Err(Denial::new(Reason::DecoyKey, format!("{id} is a decoy")));
        }
        match record.expires_at {
            Some(end) if now >= end => Err(Denial::new(
                Reason::KeyExpired,
                format!("{id} expired {} s ago", now.since(end)),
            )),
            _ => Ok(()),
        }
    }
}

/// Holds `address` against the list of the key.
pub(crate) fn admits(client: &Client, address: Option<IpAddr>) -> Result<(), Denial> {
    let Some(ranges) = &client.record.addresses else {
        return Ok(());
    };
    let rules = AddressRules {
        allow: Some(ranges.iter().copied().collect()),
        ..AddressRules::default()
    };
    ip_allow::check(&rules, address, Reason::KeyAddressRefused)
}

fn malformed(fault: FormatFault) -> Denial {
    let reason = match fault {
        FormatFault::Malformed | FormatFault::Foreign => Reason::KeyMalformed,
        FormatFault::Environment => Reason::KeyEnvironment,
        FormatFault::Checksum => Reason::KeyChecksum,
    };
    Denial::new(reason, fault.to_string())
}
