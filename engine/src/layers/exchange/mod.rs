//! Token exchange (RFC 8693): the caller's token goes in, a JWT for the backend comes out.
//!
//! 1. Only for callers who may use the route: the token was checked here before, so a stranger's token never reaches the
//!    server.
//! 2. The new token is a JWT, of the type Bearer, with an end. It is kept until `margin_seconds` before that, under a digest
//!    of exchange and caller's token; concurrent calls for one are one.
//! 3. The answer of the gate ends with the margin too, so whatever the gateway keeps holds a token that still lives. A cached
//!    answer covers only routes with the same exchange, because its context goes to all of them.
//! 4. A server that says no (400: `invalid_grant`, `invalid_target` and their kin) is
//!    [`ExchangeRefused`](Reason::ExchangeRefused); everything else that is no token, 401 to us included, is
//!    [`ExchangeUnavailable`](Reason::ExchangeUnavailable). A token that does not fit into the context is
//!    [`ExchangeTooLarge`](Reason::ExchangeTooLarge), and nothing is cut.

mod answer;
mod config;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use doorward_keys::{Secret, Timestamp};
use lru::LruCache;

pub use config::ExchangeConfig;
pub(crate) use config::{RawExchange, check};

use self::answer::{Issued, error, issued};
use super::introspection::{
    flights::Flights,
    memory::{Digest, digest},
};
use crate::{
    authority::{Answered, Authorities, CallError, Contact, Health, Timing},
    denial::{Denial, Reason},
    limits::Moment,
    waiting::join,
};

/// The name under which the backend finds the token.
pub const CONTEXT_NAME: &str = "downstreamToken";

/// What `token` takes of the context, in bytes.
pub(crate) const fn context_bytes(token: &str) -> usize {
    CONTEXT_NAME.len().saturating_add(token.len())
}

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The most tokens that are kept. A token has a few kilobytes.
const MAX_ENTRIES: usize = 1024;

/// The proof that a token for the backend was had, and until when it may be handed out.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub(crate) exchange: String,
    pub(crate) token: Secret<String>,
    /// Before its expiry by the margin.
    pub(crate) valid_until: Timestamp,
}

/// All exchanges. One for the life of a configuration, shared between concurrent requests.
pub struct Exchanges {
    all: Vec<Exchange>,
}

struct Exchange {
    config: Arc<ExchangeConfig>,
    contact: Contact,
    kept: Mutex<LruCache<Digest, Kept>>,
    flights: Flights<Result<Issued, Denial>>,
    max_context_bytes: usize,
}

/// What came of an exchange.
enum Kept {
    Token(Issued),
    /// A token that does not fit: the refusal alone, until the token would have been handed out no more.
    TooLarge(Denial, Timestamp),
}

impl Exchanges {
    /// Takes the checked exchanges; a token must fit into a context of so many bytes.
    pub(crate) fn new(
        exchanges: &[Arc<ExchangeConfig>],
        max_context_bytes: usize,
        authorities: &Authorities,
        timing: Timing,
    ) -> Self {
        let exchange = |config: &Arc<ExchangeConfig>| Exchange {
            contact: Contact::new(
                &config.name,
                config.endpoint.clone(),
                config.breaker,
                authorities.clone(),
                timing,
            ),
            kept: Mutex::new(LruCache::unbounded()),
            flights: Flights::new(),
            max_context_bytes,
            config: Arc::clone(config),
        };
        Self {
            all: exchanges.iter().map(exchange).collect(),
        }
    }

    /// Takes over what other sandboxes know of the servers. For the start.
    pub(crate) async fn recall(&self, now: Moment) {
        join(self.all.iter().map(|one| one.contact.recall(now))).await;
    }

    /// A token for the backend in place of `token`, by the exchange called `name`.
    pub(crate) async fn swap(
        &self,
        name: &str,
        token: &str,
        now: Moment,
        within: Option<Duration>,
    ) -> Result<Exchanged, Denial> {
        let exchange = self.all.iter().find(|one| one.config.name == name);
        let exchange = exchange.ok_or_else(|| {
            // INVARIANT: the configuration names only exchanges that are there.
            Denial::new(Reason::Internal, format!("there is no exchange `{name}`"))
        })?;
        let issued = exchange.swap(token, now, within).await?;
        Ok(Exchanged {
            exchange: name.to_owned(),
            valid_until: exchange.ends(&issued),
            token: issued.token,
        })
    }
}

/// What the context needs beside the token: `contextTruncated` and `true`.
const RESERVE: usize = 20;

impl Exchange {
    /// When the token is handed out no more.
    fn ends(&self, issued: &Issued) -> Timestamp {
        issued.expires_at.plus(-self.config.margin)
    }

    async fn swap(
        &self,
        token: &str,
        now: Moment,
        within: Option<Duration>,
    ) -> Result<Issued, Denial> {
        let digest = digest(&self.config.name, token)
            .ok_or_else(|| Denial::new(Reason::Internal, "SHA-256 has another length"))?;
        if let Some(known) = self.kept(&digest, now.timestamp()) {
            return known;
        }
        let work = self.ask(token, digest, now, within);
        self.flights.share(digest, work).await
    }

    async fn ask(
        &self,
        token: &str,
        digest: Digest,
        now: Moment,
        within: Option<Duration>,
    ) -> Result<Issued, Denial> {
        let form = self.form(token);
        let accept = "application/json";
        let posted = self
            .contact
            .post(&form, accept, now, within, async |answered| {
                self.read(answered, now.timestamp())
            })
            .await;
        let issued = match posted {
            Ok(read) => read?,
            Err(stopped) => return Err(self.unavailable(&stopped.to_string())),
        };
        if self.ends(&issued) <= now.timestamp() {
            let margin = self.config.margin;
            let why = format!("the token lives no longer than the margin of {margin} seconds");
            return Err(self.unavailable(&why));
        }
        let size = context_bytes(issued.token.expose());
        if size.saturating_add(RESERVE) > self.max_context_bytes {
            let (name, max) = (&self.config.name, self.max_context_bytes);
            let detail = format!(
                "exchange `{name}`: the token takes {size} bytes of the context, which has {max}"
            );
            let denial = Denial::new(Reason::ExchangeTooLarge, detail);
            self.keep(digest, Kept::TooLarge(denial.clone(), self.ends(&issued)));
            return Err(denial);
        }
        self.keep(digest, Kept::Token(issued.clone()));
        Ok(issued)
    }

    /// Only a panic amid a map operation poisons the lock, and leaves a whole map behind.
    fn keep(&self, digest: Digest, outcome: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(digest, outcome);
        while kept.len() > MAX_ENTRIES {
            kept.pop_lru();
        }
    }

    fn form<'f>(&'f self, token: &'f str) -> Vec<(&'f str, &'f str)> {
        let config = &self.config;
        let mut form = vec![
            ("grant_type", GRANT_TYPE),
            ("subject_token", token),
            ("subject_token_type", config.subject_token_type),
        ];
        form.extend(
            config
                .requested_token_type
                .map(|kind| ("requested_token_type", kind)),
        );
        form.extend(
            config
                .audiences
                .iter()
                .map(|name| ("audience", name.as_str())),
        );
        form.extend(
            config
                .resources
                .iter()
                .map(|uri| ("resource", uri.as_str())),
        );
        form.extend(config.scope.as_deref().map(|scope| ("scope", scope)));
        form
    }

    /// What `answered` is, and what it says of the server.
    fn read(
        &self,
        answered: Result<Answered, CallError>,
        now: Timestamp,
    ) -> (Health, Result<Issued, Denial>) {
        let ill = |why: String| {
            let denial = self.unavailable(&why);
            (Health::Ill(why), Err(denial))
        };
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) => return ill(error.to_string()),
        };
        match answered.status {
            200 => match issued(&answered.body, now) {
                Ok(issued) => (Health::Well, Ok(issued)),
                Err(why) => ill(format!("the answer cannot be used: {why}")),
            },
            // RFC 8693 section 2.2.2, RFC 6749 section 5.2.
            400 => {
                let error = error(&answered.body);
                // Who asks is our fault and not the caller's.
                if matches!(error.as_str(), "`invalid_client`" | "`unauthorized_client`") {
                    return ill(format!("status 400, {error}"));
                }
                let detail = format!("exchange `{}`: {error}", self.config.name);
                (
                    Health::Well,
                    Err(Denial::new(Reason::ExchangeRefused, detail)),
                )
            }
            status => {
                let error = error(&answered.body);
                ill(format!("status {status}, {error}"))
            }
        }
    }

    fn kept(&self, digest: &Digest, now: Timestamp) -> Option<Result<Issued, Denial>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(digest)? {
            Kept::Token(issued) if now < self.ends(issued) => return Some(Ok(issued.clone())),
            Kept::TooLarge(denial, until) if now < *until => return Some(Err(denial.clone())),
            _ => {}
        }
        kept.pop(digest);
        None
    }

    fn unavailable(&self, why: &str) -> Denial {
        let detail = format!("exchange `{}`: {why}", self.contact.name());
        Denial::new(Reason::ExchangeUnavailable, detail)
    }
}
