//! A tour through the calendar: keys that expire soon, and keys that are not used. It begins once a day, and runs go on with it
//! until it is through, each as long as it has time.

use doorward_keys::{
    Calendar, Cursor, Day, EventKind, KeyRecord, KeyStore, StoreError, Timestamp,
    lifecycle::{self, Standing},
};
use futures_util::future::try_join_all;

use super::{Jobs, notice};
use crate::admin::Notices;

/// The name of the place.
const JOB: &str = "tour";

/// How many keys are looked at at once.
const AT_ONCE: usize = 25;

/// How many days of missed tours are made up for.
const MADE_UP: i64 = 31;

/// Where a tour is: from which day on it makes up, on which day it began, which stop it is at, and behind which key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    from: i64,
    to: i64,
    stop: usize,
    position: String,
}

/// One stop: the keys that expire on a day, and what is told of them.
struct Stop {
    day: Day,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    ExpiresSoon(u32),
    Unused(u32),
}

const SECONDS_OF_DAY: i64 = 86_400;

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        Some(Self {
            from: parts.next()?.parse().ok()?,
            to: parts.next()?.parse().ok()?,
            stop: parts.next()?.parse().ok()?,
            position: parts.next()?.to_owned(),
        })
    }

    fn text(&self) -> String {
        let Self {
            from,
            to,
            stop,
            position,
        } = self;
        format!("{from} {to} {stop} {position}")
    }

    /// Every stop of the tour, in order. The same for every run of one tour, unless the configuration changes on the way.
    fn stops(&self, notices: &Notices, max_lifetime_days: u32) -> Vec<Stop> {
        let day =
            |number: i64| Day::of(Timestamp::from_unix(number.saturating_mul(SECONDS_OF_DAY)));
        let mut stops = Vec::new();
        for before in &notices.before_expiry {
            for today in self.from..=self.to {
                stops.push(Stop {
                    day: day(today.saturating_add(i64::from(*before))),
                    what: What::ExpiresSoon(*before),
                });
            }
        }
        if let Some(after) = notices.unused_after {
            for ahead in 0..=i64::from(max_lifetime_days) {
                stops.push(Stop {
                    day: day(self.to.saturating_add(ahead)),
                    what: What::Unused(after),
                });
            }
        }
        stops
    }
}

impl Jobs {
    /// Begins a tour, unless one is on its way or was begun on this day.
    pub(super) async fn begin_tour(&self, now: Timestamp) -> Result<(), StoreError> {
        let today = now.unix().div_euclid(SECONDS_OF_DAY);
        let last = self.store.place(JOB).await?;
        let from = match last.as_deref().map(Place::parse) {
            Some(Some(place)) if place.stop != usize::MAX || place.to >= today => return Ok(()),
            Some(Some(place)) => (place.to + 1).max(today - MADE_UP),
            _ => today,
        };
        let place = Place {
            from,
            to: today,
            stop: 0,
            position: String::new(),
        };
        self.store.keep_place(JOB, &place.text()).await
    }

    /// Goes on with a tour that is on its way; whether it has come to its end. `None` where there is none.
    pub(super) async fn go_on(
        &self,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<bool>, StoreError> {
        let place = self.store.place(JOB).await?;
        let Some(mut place) = place.as_deref().and_then(Place::parse) else {
            return Ok(None);
        };
        if place.stop == usize::MAX {
            return Ok(None);
        }
        let lifetime = self.admin.policy().max_lifetime_days;
        let stops = place.stops(&self.admin.notices(), lifetime);
        let outcome = self.visit(&stops, &mut place, now, has_time).await;
        // How far it came is kept also where it ended by a fault.
        self.store.keep_place(JOB, &place.text()).await?;
        outcome.map(Some)
    }

    async fn visit(
        &self,
        stops: &[Stop],
        place: &mut Place,
        now: Timestamp,
        has_time: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, StoreError> {
        let store: &dyn KeyStore = self.store.as_ref();
        let calendar: &dyn Calendar = store;
        while let Some(stop) = stops.get(place.stop) {
            if !has_time() {
                return Ok(false);
            }
            let after = Cursor::behind(place.position.clone());
            let after = Some(&after).filter(|_| !place.position.is_empty());
            let page = calendar.expiring(stop.day, AT_ONCE, after).await?;
            let told = page
                .items
                .iter()
                .map(|key| self.look_at(key, stop.what, now));
            try_join_all(told).await?;
            if let Some(next) = page.next {
                next.position().clone_into(&mut place.position);
            } else {
                place.stop += 1;
                place.position.clear();
            }
        }
        place.stop = usize::MAX;
        Ok(true)
    }

    async fn look_at(&self, key: &KeyRecord, what: What, now: Timestamp) -> Result<(), StoreError> {
        let works = lifecycle::standing(key, now) == Standing::Usable;
        if key.rotated_to.is_some() || !works {
            return Ok(());
        }
        match what {
            What::ExpiresSoon(days) => self.expires_soon(key, days, now).await,
            What::Unused(days) => self.unused(key, days, now).await,
        }
    }

    async fn expires_soon(
        &self,
        key: &KeyRecord,
        days: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(end) = key.expires_at else {
            return Ok(());
        };
        let event = notice(EventKind::KeyExpiringSoon, key, now, self.entropy.as_ref())?
            .with("noticeDays", days.to_string());
        let once = format!("expiring-{}-{days}", end.unix());
        self.announce(&event, &once, i64::from(days) + 2).await
    }

    async fn unused(&self, key: &KeyRecord, days: u32, now: Timestamp) -> Result<(), StoreError> {
        let Some(usage) = self.admin.usage_reader() else {
            return Ok(());
        };
        let period = i64::from(days) * SECONDS_OF_DAY;
        // Too young to be unused, or made not to be used: nothing is read for it.
        if key.decoy || now.since(key.created_at) < period {
            return Ok(());
        }
        let last = usage.last_use(&key.id).await?.map(|last| last.at);
        let since = last.unwrap_or(key.created_at);
        let periods = now.since(since) / period.max(1);
        if periods < 1 {
            return Ok(());
        }
        let mut event = notice(EventKind::KeyUnused, key, now, self.entropy.as_ref())?.with(
            "unusedDays",
            (now.since(since) / SECONDS_OF_DAY).to_string(),
        );
        if let Some(last) = last {
            event = event.with("lastUsedAt", last.unix().to_string());
        }
        let once = format!("unused-{}-{days}-{periods}", since.unix());
        self.announce(&event, &once, i64::from(days) + 2).await
    }
}
