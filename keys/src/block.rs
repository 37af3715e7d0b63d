//! Tokens that must die before their time: what a block says, and the narrow traits behind which blocks are kept.
//!
//! A token that nobody keeps a record of, such as a JWT, is good until it expires. A block ends it earlier. It names an issuer
//! and, of its tokens, one ([`Target::Jti`]), those of one login ([`Target::OriginJti`]), those of a subject or a client, or
//! all. [`Block::issued_before`] leaves tokens alone that were issued later, after a new login for instance. A block ends
//! itself: once every token that it speaks of has expired it has nothing left to do.

use async_trait::async_trait;

use crate::{
    store::{Cursor, Page, StoreError},
    time::Timestamp,
};

/// The name of a block: `blk_` and a ULID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(String);

impl BlockId {
    /// A fresh id for a block made at `at`, from 80 bits of `random` (the upper 48 are ignored).
    pub fn new(at: Timestamp, random: u128) -> Self {
        Self(format!("blk_{}", ulid(at, random)))
    }

    /// Reads an id; `None` when it is not `blk_` and a ULID in canonical upper case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("blk_")?;
        let parsed = ulid::Ulid::from_string(digits).ok()?;
        (parsed.to_string() == digits).then(|| Self(text.to_owned()))
    }

    /// The id as printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which tokens of an issuer. Texts are compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The one with this `jti` (RFC 7519 section 4.1.7).
    Jti(String),
    /// Those that came of the login with this `origin_jti`, which Cognito gives to all tokens of it
    /// (<https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html>).
    OriginJti(String),
    /// Those of this subject.
    Subject(String),
    /// Those of this OAuth client.
    Client(String),
    /// All.
    Issuer,
}

impl Target {
    /// The word for its kind in stores, answers and logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Jti(_) => "jti",
            Self::OriginJti(_) => "origin_jti",
            Self::Subject(_) => "subject",
            Self::Client(_) => "client",
            Self::Issuer => "issuer",
        }
    }

    /// The text that a token must have, where it must have one.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Jti(value)
            | Self::OriginJti(value)
            | Self::Subject(value)
            | Self::Client(value) => Some(value),
            Self::Issuer => None,
        }
    }

    /// Reads what [`Target::kind`] and [`Target::value`] wrote.
    pub fn parse(kind: &str, value: Option<&str>) -> Option<Self> {
        let owned = |value: &str| value.to_owned();
        match (kind, value) {
            ("jti", Some(value)) => Some(Self::Jti(owned(value))),
            ("origin_jti", Some(value)) => Some(Self::OriginJti(owned(value))),
            ("subject", Some(value)) => Some(Self::Subject(owned(value))),
            ("client", Some(value)) => Some(Self::Client(owned(value))),
            ("issuer", None) => Some(Self::Issuer),
            _ => None,
        }
    }
}

/// One block as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name.
    pub id: BlockId,
    /// `iss` of the tokens, exactly.
    pub issuer: String,
    /// Which of them.
    pub target: Target,
    /// Tokens that were issued (`iat`) at this time or later are left alone; a token without `iat` is not. Absent means that
    /// none is.
    pub issued_before: Option<Timestamp>,
    /// When the block ends: it counts while now is before this time.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, from the verified identity.
    pub actor: String,
    /// Why, in the words of the caller.
    pub reason: Option<String>,
}

impl Block {
    /// Whether it has not ended at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether it ends at least the tokens that `other` ends, and at least as long.
    pub fn covers(&self, other: &Self) -> bool {
        let reaches = match (self.issued_before, other.issued_before) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => own >= others,
        };
        reaches
            && self.issuer == other.issuer
            && self.target == other.target
            && self.expires_at >= other.expires_at
    }
}

/// What was done to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockAction {
    /// It was made.
    Add,
    /// It was taken back before its end.
    Remove,
}

impl BlockAction {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Add, Self::Remove];

    /// The word for it in events; their `detail-type` in `EventBridge`.
    pub const fn event_kind(self) -> &'static str {
        match self {
            Self::Add => "TokensBlocked",
            Self::Remove => "TokensUnblocked",
        }
    }

    /// The word for it in stores, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
        }
    }

    /// Reads what [`BlockAction::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Reads what [`BlockAction::event_kind`] wrote.
    pub fn of_event(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.event_kind() == kind)
    }
}

/// One change of the list of blocks, for the audit. It says all of the block, which may be gone since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockChange {
    /// A ULID in canonical form; changes sort by it, by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: BlockAction,
    /// Who, from the verified identity.
    pub actor: String,
    /// Why, in the words of the caller.
    pub reason: Option<String>,
    /// The block.
    pub block: Block,
}

impl BlockChange {
    /// The change of `block` by `actor` at `at`. `random` makes the id unique.
    pub fn of(
        action: BlockAction,
        block: &Block,
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
        random: u128,
    ) -> Self {
        Self {
            id: ulid(at, random),
            at,
            action,
            actor: actor.to_owned(),
            reason: reason.map(ToOwned::to_owned),
            block: block.clone(),
        }
    }
}

fn ulid(at: Timestamp, random: u128) -> String {
    let seconds = u64::try_from(at.unix()).unwrap_or(0);
    ulid::Ulid::from_parts(seconds.saturating_mul(1000), random).to_string()
}

/// What the authorizer may do: see whether the list has changed, and read it.
#[async_trait]
pub trait BlockReader: Send + Sync {
    /// The version of the list: another one after every change; 0 before the first. One small read that sees every change
    /// that was answered before.
    async fn version(&self) -> Result<u64, StoreError>;

    /// Every block there is, also those that have ended and are not swept yet, in no order. Sees every change that was
    /// answered before.
    async fn all(&self) -> Result<Vec<Block>, StoreError>;
}

/// What key administration may do. Every change is one transaction together with its audit entry, its event and the new
/// version of the list: either all of it is seen, or none.
#[async_trait]
pub trait BlockLedger: BlockReader {
    /// The block of this name, or `None`.
    async fn fetch(&self, id: &BlockId) -> Result<Option<Block>, StoreError>;

    /// Writes the new block of `change`. [`StoreError::Conflict`] when its name is taken.
    async fn add(&self, change: &BlockChange) -> Result<(), StoreError>;

    /// Takes the block of `change` back. [`StoreError::Conflict`] when it is not there any more.
    async fn remove(&self, change: &BlockChange) -> Result<(), StoreError>;

    /// The blocks from the first made to the last, at most `limit` (at least one), behind `after`. Those that have ended are
    /// among them until they are swept.
    async fn list(&self, limit: usize, after: Option<&Cursor>) -> Result<Page<Block>, StoreError>;

    /// The changes from the first to the last, at most `limit` (at least one), behind `after`.
    async fn changes(
        &self,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<BlockChange>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(target: Target, issued_before: Option<i64>, expires_at: i64) -> Block {
        let now = Timestamp::from_unix(1_700_000_000);
        Block {
            id: BlockId::new(now, 7),
            issuer: "https://issuer.example".to_owned(),
            target,
            issued_before: issued_before.map(Timestamp::from_unix),
            expires_at: Timestamp::from_unix(expires_at),
            created_at: now,
            actor: "op".to_owned(),
            reason: None,
        }
    }

    #[test]
    fn ids_in_another_spelling_are_refused() {
        let id = BlockId::new(Timestamp::from_unix(1_700_000_000), 42);
        assert_eq!(BlockId::parse(id.as_str()), Some(id.clone()));
        let digits = id.as_str().trim_start_matches("blk_").to_owned();
        for bad in [
            digits.clone(),
            format!("BLK_{digits}"),
            format!("blk_{}", digits.to_lowercase()),
            format!("blk_{digits}0"),
            format!("key_{digits}"),
            String::new(),
        ] {
            assert_eq!(BlockId::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_target_is_read_as_it_was_written_and_in_no_other_way() {
        let text = || "a".to_owned();
        for target in [
            Target::Jti(text()),
            Target::OriginJti(text()),
            Target::Subject(text()),
            Target::Client(text()),
            Target::Issuer,
        ] {
            assert_eq!(
                Target::parse(target.kind(), target.value()),
                Some(target.clone())
            );
            let other = match target.value() {
                Some(_) => None,
                None => Some("a"),
            };
            assert_eq!(Target::parse(target.kind(), other), None);
        }
        assert_eq!(Target::parse("Jti", Some("a")), None);
    }

    #[test]
    fn a_block_counts_until_its_end() {
        let block = block(Target::Issuer, None, 100);
        assert!(block.is_in_force(Timestamp::from_unix(99)));
        assert!(!block.is_in_force(Timestamp::from_unix(100)));
    }

    #[test]
    fn a_block_covers_what_it_reaches_and_outlives() {
        let of = |before, end| block(Target::Subject("ann".to_owned()), before, end);
        for (own, other, covers) in [
            (of(None, 100), of(Some(50), 100), true),
            (of(Some(50), 100), of(Some(50), 100), true),
            (of(Some(50), 100), of(Some(51), 100), false),
            (of(Some(50), 100), of(None, 100), false),
            (of(None, 99), of(None, 100), false),
        ] {
            assert_eq!(own.covers(&other), covers, "{own:?} {other:?}");
        }
        assert!(!of(None, 100).covers(&block(Target::Client("ann".to_owned()), None, 100)));
    }
}
