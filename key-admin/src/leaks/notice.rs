//! Notices about keys, written once each.

use doorward_keys::{EventKind, KeyEvent, KeyRecord, Timestamp};

use crate::{
    admin::KeyAdmin,
    entropy::{self, Entropy},
    error::AdminError,
};

/// For how long it is remembered that a notice was written, in seconds: ten years, as long as any key lives.
const REMEMBERED_SECONDS: i64 = 3650 * 86_400;

/// Something that is to be known of a key.
pub(crate) struct Notice<'a> {
    pub(crate) kind: EventKind,
    pub(crate) record: &'a KeyRecord,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// Under which name it is remembered: a second notice of that name about the key is not written.
    pub(crate) once: &'a str,
    /// Who found it; absent where it showed itself.
    pub(crate) actor: Option<&'a str>,
    /// What else is to be known.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl KeyAdmin {
    /// Writes `notice`, unless it was written before; says whether it was written.
    pub(crate) async fn tell(
        &self,
        notice: Notice<'_>,
        entropy: &dyn Entropy,
    ) -> Result<bool, AdminError> {
        let outbox = self.outbox()?;
        let milliseconds = u64::try_from(notice.at.unix())
            .unwrap_or(0)
            .saturating_mul(1000);
        let ulid = ulid::Ulid::from_parts(milliseconds, entropy::number(entropy)?).to_string();
        let mut event = KeyEvent::notice(notice.kind, notice.record, notice.at, ulid);
        event.actor = notice.actor.map(ToOwned::to_owned);
        for (name, value) in notice.details {
            event = event.with(name, value);
        }
        let forgotten_at = notice.at.plus(REMEMBERED_SECONDS);
        Ok(outbox.announce(&event, notice.once, forgotten_at).await?)
    }
}
