//! Tokens of the last seconds, so that a caller who asks often costs one signature.

use std::{num::NonZeroUsize, sync::Mutex};

use doorward_keys::Timestamp;
use lru::LruCache;

use super::{IdentityToken, REUSE_SECONDS};

/// How many tokens are remembered at most; each takes about a kilobyte.
const ENTRIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(511);

/// Tokens by the digest of their claims.
pub(super) struct Recent(Mutex<LruCache<[u8; 32], (Timestamp, IdentityToken)>>);

impl Default for Recent {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(ENTRIES)))
    }
}

impl Recent {
    /// A token about the same that was minted within the last seconds. A clock that went back finds none.
    pub(super) fn find(&self, about: &[u8; 32], now: Timestamp) -> Option<IdentityToken> {
        let mut tokens = self.0.lock().ok()?;
        let (minted_at, token) = tokens.get(about)?;
        let is_recent = (0..i64::from(REUSE_SECONDS)).contains(&now.since(*minted_at));
        (is_recent && now < token.expires_at).then(|| token.clone())
    }

    pub(super) fn keep(&self, about: [u8; 32], token: IdentityToken, now: Timestamp) {
        if let Ok(mut tokens) = self.0.lock() {
            tokens.put(about, (now, token));
        }
    }
}
