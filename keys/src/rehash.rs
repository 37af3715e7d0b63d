//! Keys of which only a former hash is known, to be kept as keys of ours are once they were shown.
//!
//! Only who is shown the key can make its proper digest, and that is the authorizer; it writes no keys. So it asks, and key
//! administration does it. What is asked for attaches a digest to a key, which is as much as a copy of that key, so it is believed
//! only where it proves that both digests are of one key: by a code under the pepper, which nobody else has, or, where there is
//! no pepper, by the former hash itself, which is the proper digest then if it is SHA-256. Of others nobody could tell.

use async_trait::async_trait;

use crate::{
    digest::{Digest, Pepper},
    foreign::HashName,
    record::{KeyId, KeyRecord},
    store::{Cursor, Page, StoreError},
    time::Timestamp,
};

/// A key that is to be kept under another digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehash {
    /// The key.
    pub key_id: KeyId,
    /// Its proper digest.
    pub digest: Digest,
    /// What proves it; absent where the digest proves itself.
    pub proof: Option<Digest>,
}

impl Rehash {
    /// That `record` is to be kept under `digest`, made with `pepper`; `None` where it could not be proved.
    pub fn of(record: &KeyRecord, digest: Digest, pepper: Option<&Pepper>) -> Option<Self> {
        let rehash = Self {
            key_id: record.id.clone(),
            proof: pepper.map(|pepper| proof(record, &digest, pepper)),
            digest,
        };
        rehash.is_proven(record, pepper).then_some(rehash)
    }

    /// Whether the digest is one of `record`, made with `pepper`.
    pub fn is_proven(&self, record: &KeyRecord, pepper: Option<&Pepper>) -> bool {
        if record.id != self.key_id {
            return false;
        }
        match (pepper, &self.proof) {
            (Some(pepper), Some(shown)) => proof(record, &self.digest, pepper) == *shown,
            (None, None) => HashName::Sha256.of_plain(&self.digest) == record.digest,
            _ => false,
        }
    }
}

/// A code over the key, the digest under which it is kept and the one under which it is to be kept.
fn proof(record: &KeyRecord, digest: &Digest, pepper: &Pepper) -> Digest {
    let mut text = record.id.as_str().as_bytes().to_vec();
    text.extend(record.digest.as_bytes());
    text.extend(digest.as_bytes());
    Digest::from_bytes(pepper.mac(b"doorward:rehash:", &text))
}

/// Where the authorizer asks.
#[async_trait]
pub trait RehashSink: Send + Sync {
    /// Asks for `rehash`, and forgets that at `until` at the latest. Asking twice is asking once.
    async fn ask(&self, rehash: &Rehash, until: Timestamp) -> Result<(), StoreError>;
}

/// What was asked for, in parts.
#[async_trait]
pub trait RehashBook: RehashSink {
    /// How many parts there are.
    fn parts(&self) -> u32;

    /// What is asked for in a part behind `after`, at most `limit` (at least one); for an item that is nothing of the kind, why it
    /// cannot be read. Such an item stands in nobody's way.
    async fn asked(
        &self,
        part: u32,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Result<Rehash, StoreError>>, StoreError>;

    /// Forgets what was asked for about a key.
    async fn done(&self, key: &KeyId) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        foreign::FormerHash,
        lifecycle::{Fresh, create},
        samples,
    };

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
    const KEY: &str = "Zk3tQw8Yb1Nf6Rr0Lm5Vx2Cc7Dd9Ee4A";

    fn kept_as(hash: &FormerHash) -> KeyRecord {
        let fresh = Fresh {
            id: KeyId::new(NOW, 1),
            digest: hash.digest(KEY),
        };
        create(samples::draft(), fresh, NOW, samples::LIMITS).unwrap()
    }

    fn pepper(byte: u8) -> Pepper {
        Pepper::new(vec![byte; 32]).unwrap()
    }

    #[test]
    fn only_who_has_the_pepper_can_ask() {
        let (record, pepper, other) = (kept_as(&FormerHash::Sha512), pepper(1), pepper(2));
        let digest = Digest::of(KEY, Some(&pepper));
        let rehash = Rehash::of(&record, digest.clone(), Some(&pepper)).unwrap();
        assert!(rehash.is_proven(&record, Some(&pepper)));
        assert!(!rehash.is_proven(&record, Some(&other)));
        assert!(!rehash.is_proven(&record, None));
        let without = Rehash {
            proof: None,
            ..rehash.clone()
        };
        assert!(!without.is_proven(&record, Some(&pepper)));
        // What was proved of one key proves nothing of another, nor of another digest or place.
        let attached = Rehash {
            digest: Digest::of("mine", Some(&pepper)),
            ..rehash.clone()
        };
        assert!(!attached.is_proven(&record, Some(&pepper)));
        let others = KeyRecord {
            id: KeyId::new(NOW, 2),
            ..record.clone()
        };
        assert!(!rehash.is_proven(&others, Some(&pepper)));
        let moved = KeyRecord { digest, ..record };
        assert!(!rehash.is_proven(&moved, Some(&pepper)));
    }

    #[test]
    fn without_a_pepper_sha_256_proves_itself_and_nothing_else_does() {
        let record = kept_as(&FormerHash::Sha256);
        let rehash = Rehash::of(&record, Digest::of(KEY, None), None).unwrap();
        assert!(rehash.proof.is_none() && rehash.is_proven(&record, None));
        assert_eq!(Rehash::of(&record, Digest::of("mine", None), None), None);
        let by_512 = kept_as(&FormerHash::Sha512);
        assert_eq!(Rehash::of(&by_512, Digest::of(KEY, None), None), None);
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let record = kept_as(&FormerHash::Sha256);
        let digest = Digest::of(KEY, Some(&pepper(1)));
        let hex = digest.to_hex();
        let rehash = Rehash::of(&record, digest, Some(&pepper(1)));
        assert!(!format!("{rehash:?}").contains(&hex));
    }
}
