//! Keys that have expired: each is told of once, within minutes.

use doorward_keys::{Calendar, Cursor, Day, EventKind, KeyStore, StoreError, Timestamp};

use super::{Jobs, notice};

/// The name of the place.
const JOB: &str = "expired";

/// How many keys are read at once.
const AT_ONCE: usize = 100;

/// How far a run stays behind the time, in seconds: the calendar lags behind what was written.
const BEHIND: i64 = 60;

/// How far back the first run looks, in seconds.
const FIRST: i64 = 86_400;

impl Jobs {
    /// Tells of the keys that expired since the last run; whether all were told of.
    pub(super) async fn expired(
        &self,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, StoreError> {
        let store: &dyn KeyStore = self.store.as_ref();
        let until = now.plus(-BEHIND);
        // A place is a position in the calendar: a time in 14 digits, and the id of the last key where there is one.
        let kept = store.place(JOB).await?;
        let mut place = kept.unwrap_or_else(|| position(until.plus(-FIRST)));
        let first_place = place.clone();
        let mut complete = true;
        'days: loop {
            let day = Day::of(time_of(&place).unwrap_or_else(|| until.plus(-FIRST)));
            let after = Cursor::behind(place.clone());
            let calendar: &dyn Calendar = store;
            let page = calendar.expiring(day, AT_ONCE, Some(&after)).await?;
            for key in &page.items {
                let Some(end) = key.expires_at.filter(|end| *end <= until) else {
                    break 'days;
                };
                if !has_time() {
                    complete = false;
                    break 'days;
                }
                let once = format!("expired-{}", end.unix());
                let mut event = notice(EventKind::KeyExpired, key, now, self.entropy.as_ref())?;
                event.related.clone_from(&key.rotated_to);
                self.announce(&event, &once, 2).await?;
                if let Some((_, behind)) = key.calendar_position() {
                    place = behind;
                }
            }
            if let Some(next) = page.next {
                next.position().clone_into(&mut place);
                continue;
            }
            let tomorrow = day.plus(1).begin();
            if tomorrow > until {
                place = place.max(position(until));
                break;
            }
            place = position(tomorrow);
        }
        if place != first_place {
            store.keep_place(JOB, &place).await?;
        }
        Ok(complete)
    }
}

fn position(at: Timestamp) -> String {
    format!("{:014}", at.unix().max(0))
}

fn time_of(place: &str) -> Option<Timestamp> {
    let digits = place.split('#').next()?;
    digits.parse().ok().map(Timestamp::from_unix)
}
