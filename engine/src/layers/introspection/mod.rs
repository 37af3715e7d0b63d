//! Opaque tokens (RFC 7662): a token goes in, a [`Subject`] or a [`Denial`] comes out.
//!
//! 1. **Server.** The route names it; else the header `tokens.issuer_header` of the request, by its issuer; else the longest
//!    `token_prefixes` that fits; else the default. Anybody can write the header, so it only chooses between servers: one that
//!    names no issuer of them, or another than route or prefix say, is [`TokenHint`](Reason::TokenHint). A token is never
//!    tried at a second server, and what one server said of it is not remembered for another.
//! 2. **Memory.** What a server said is remembered for a short time (`memory`), and at every hit the times are compared
//!    again. Concurrent calls for one token are one (`flights`).
//! 3. **Call.** One POST with client authentication, bounded in time and size, behind a circuit breaker
//!    ([`crate::authority`]). What fails is [`IntrospectionUnavailable`](Reason::IntrospectionUnavailable): no answer, a
//!    status of 429 or 500 and above. Status 401 or 403, or 400 with `invalid_client`, is about us, not the token:
//!    [`IntrospectionRefused`](Reason::IntrospectionRefused). Any other status, and a body that is not strict JSON with a
//!    boolean `active`, is [`IntrospectionAnswer`](Reason::IntrospectionAnswer). None of these is remembered as inactive.
//! 4. **Answer.** `active: false` is [`TokenInactive`](Reason::TokenInactive). An active token goes through the checks of a
//!    JWT: `iss`, times, kind, audience or client, proof, required claims. `exp` may be missing; then what is said is good for
//!    `without_expiry_seconds`.
//! 5. **Signed answers** (RFC 9701): the kind of the JWT, the issuer, this client as its audience, its age and signature;
//!    only the object in it is read, and an answer that is not signed is refused.
//! 6. **Outage.** Where the server cannot be asked and the route says `on_outage = "recently_active"`, a token that was active
//!    a while ago and has not expired is good. Such a caller may use only routes that say so.
//!
//! The breaker counts a failure for everything in 3 but other 4xx statuses, which a strange token can cause: oidc-provider
//! answers 400 to a JWT; and for a signed answer that does not hold, but not for keys of it that cannot be had. `active: false`
//! is a success.

mod config;
pub(crate) mod flights;
pub(crate) mod memory;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use doorward_keys::Timestamp;

pub use config::ServerConfig;
pub(crate) use config::{RawIntrospection, check};

use self::{
    flights::Flights,
    memory::{Active, Digest, Memory, Remembered, Spans, digest},
};
use crate::{
    authority::{Answered, Authorities, CallError, Contact, Health, Timing, refuses_client},
    config::TokensConfig,
    denial::{Denial, Reason},
    identity::{Introspected, Subject},
    layers::jwt::{FetchError, KeySetSource, SignedAnswers, Told, told},
    limits::Moment,
    routes::Route,
    waiting::{both, join},
};

const JSON: &str = "application/json";
const SIGNED: &str = "application/token-introspection+jwt";

/// All introspection servers. One for the life of a configuration, shared between concurrent requests.
pub struct Introspection {
    servers: Vec<Server>,
    /// Whether a header may say which server knows a token.
    by_header: bool,
    max_token_bytes: usize,
}

struct Server {
    config: Arc<ServerConfig>,
    contact: Contact,
    memory: Memory,
    flights: Flights<Outcome>,
    signed: Option<SignedAnswers>,
}

/// What came of asking.
type Outcome = Result<Box<Subject>, Failed>;

#[derive(Clone)]
struct Failed {
    denial: Denial,
    /// Whether nothing was found out, so that what is known from before may count.
    is_outage: bool,
}

/// What one request knows.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) route: &'a Route,
    /// Of which issuer the token is, as the caller says.
    pub(crate) hint: Option<&'a str>,
    pub(crate) now: Moment,
    /// How long the server may take at most; `None` where its own bound is all.
    pub(crate) within: Option<Duration>,
}

impl Introspection {
    /// Takes the checked servers, and how tokens are sent; those that are too long are refused unread.
    pub(crate) fn new(
        servers: &[Arc<ServerConfig>],
        tokens: &TokensConfig,
        authorities: &Authorities,
        key_sets: &Arc<dyn KeySetSource>,
        timing: Timing,
    ) -> Self {
        let server = |config: &Arc<ServerConfig>| Server {
            contact: Contact::new(
                &config.name,
                config.endpoint.clone(),
                config.breaker,
                authorities.clone(),
                timing,
            ),
            memory: Memory::new(Spans {
                active: config.cache,
                refused: config.negative,
                recent: config.recent,
            }),
            flights: Flights::new(),
            signed: config.signed.then(|| {
                SignedAnswers::new(
                    Arc::clone(&config.answers),
                    Arc::clone(key_sets),
                    timing.pause,
                )
            }),
            config: Arc::clone(config),
        };
        Self {
            servers: servers.iter().map(server).collect(),
            by_header: tokens.issuer_header.is_some(),
            max_token_bytes: tokens.max_bytes,
        }
    }

    /// Takes over what other sandboxes know of the servers, and fetches the keys of signed answers. For the start.
    pub(crate) async fn prefetch(&self, now: Moment) -> Vec<(String, Result<(), FetchError>)> {
        let recalled = join(self.servers.iter().map(|server| server.contact.recall(now)));
        let signed = self
            .servers
            .iter()
            .filter_map(|server| server.signed.as_ref());
        let fetched = join(signed.map(|signed| signed.prefetch(now.timestamp())));
        both(recalled, fetched).await.1
    }

    /// Checks `token` for the route that was asked for.
    pub(crate) async fn verify(&self, token: &str, asked: Asked<'_>) -> Result<Subject, Denial> {
        if token.len() > self.max_token_bytes {
            let max = self.max_token_bytes;
            let detail = format!("{} bytes, at most {max} are read", token.len());
            return Err(Denial::new(Reason::TokenTooLong, detail));
        }
        let by_request = self.by_request(token, asked.hint)?;
        let chosen = match &asked.route.remote.server {
            Some(name) => self.position(|server| server.name == *name),
            None => by_request,
        };
        if asked.hint.is_some() && chosen != by_request {
            let detail = "the route asks another server than the header with the issuer says";
            return Err(Denial::new(Reason::TokenHint, detail));
        }
        let server = chosen.and_then(|index| self.servers.get(index));
        let Some(server) = server else {
            return Err(Denial::new(
                Reason::CredentialUnsupported,
                "the token has no prefix of a server in `introspection`, and none is the default",
            ));
        };
        let (subject, is_recent) = server.verify(token, asked).await?;
        Ok(Subject {
            introspected: Some(Introspected {
                by_request: chosen == by_request,
                by_header: self.by_header,
                is_recent,
            }),
            ..subject
        })
    }

    /// The server that the request chooses by itself: what it says of the issuer, or else the token.
    fn by_request(&self, token: &str, hint: Option<&str>) -> Result<Option<usize>, Denial> {
        let by_prefix = self.by_prefix(token);
        let Some(issuer) = hint else {
            return Ok(by_prefix.or_else(|| self.position(|server| server.is_default)));
        };
        let hinted = self.position(|server| server.issuer() == issuer);
        let why = match (hinted, by_prefix) {
            (None, _) => "the header with the issuer names none of the servers in `introspection`",
            (Some(hinted), Some(other)) if hinted != other => {
                "the header with the issuer names another server than the prefix of the token"
            }
            _ => return Ok(hinted),
        };
        Err(Denial::new(Reason::TokenHint, why))
    }

    fn position(&self, fits: impl Fn(&ServerConfig) -> bool) -> Option<usize> {
        self.servers.iter().position(|server| fits(&server.config))
    }

    /// The server whose tokens begin like this one.
    fn by_prefix(&self, token: &str) -> Option<usize> {
        let longest = |server: &Server| {
            let fitting = server.config.prefixes.iter();
            let fitting = fitting.filter(|prefix| token.starts_with(*prefix));
            fitting.map(String::len).max()
        };
        let servers = self.servers.iter().enumerate();
        let fitting = servers.filter_map(|(index, server)| Some((longest(server)?, index)));
        fitting.max().map(|(_, index)| index)
    }
}

impl Server {
    /// Who the token speaks for, and whether only because it was active a while ago.
    async fn verify(&self, token: &str, asked: Asked<'_>) -> Result<(Subject, bool), Denial> {
        let now = asked.now.timestamp();
        let digest = digest(&self.config.name, token)
            .ok_or_else(|| Denial::new(Reason::Internal, "SHA-256 has another length"))?;
        match self.memory.find(&digest, now) {
            Remembered::Fresh(subject) => return Ok((*subject, false)),
            Remembered::Refused(denial) => return Err(denial),
            Remembered::Recent(..) | Remembered::Nothing => {}
        }
        let outcome = self
            .flights
            .share(digest, self.ask(token, digest, asked))
            .await;
        match outcome {
            Ok(subject) => Ok((*subject, false)),
            Err(failed) if failed.is_outage && asked.route.remote.recently_active => {
                match self.memory.find(&digest, now) {
                    Remembered::Recent(subject, until) => Ok((
                        Subject {
                            valid_until: until,
                            ..*subject
                        },
                        true,
                    )),
                    _ => Err(failed.denial),
                }
            }
            Err(failed) => Err(failed.denial),
        }
    }

    /// Asks the server and remembers what it says.
    async fn ask(&self, token: &str, digest: Digest, asked: Asked<'_>) -> Outcome {
        let now = asked.now.timestamp();
        let form = [("token", token), ("token_type_hint", "access_token")];
        let accept = if self.signed.is_some() { SIGNED } else { JSON };
        let posted = self
            .contact
            .post(
                &form,
                accept,
                asked.now,
                asked.within,
                async |answered| match self.read(answered, now).await {
                    Ok(read) => (Health::Well, Ok(read)),
                    Err(Unread { failed, ill: true }) => {
                        (Health::Ill(failed.denial.detail().to_owned()), Err(failed))
                    }
                    Err(Unread { failed, ill: false }) => (Health::Well, Err(failed)),
                },
            )
            .await;
        let (told, bytes) = match posted {
            Ok(read) => read?,
            Err(stopped) => {
                return Err(self.failed(
                    Reason::IntrospectionUnavailable,
                    &stopped.to_string(),
                    true,
                ));
            }
        };
        self.note(told, bytes, digest, now)
    }

    /// What `answered` says, and its size in bytes.
    async fn read(
        &self,
        answered: Result<Answered, CallError>,
        now: Timestamp,
    ) -> Result<(Told, usize), Unread> {
        let unread = |reason, why: &str, ill, is_outage| Unread {
            failed: self.failed(reason, why, is_outage),
            ill,
        };
        let answered = answered.map_err(|error| {
            unread(
                Reason::IntrospectionUnavailable,
                &error.to_string(),
                true,
                true,
            )
        })?;
        match answered.status {
            200 => {}
            status if status == 403 || refuses_client(&answered) => {
                let why = format!("status {status}: it refuses this client, not the token");
                return Err(unread(Reason::IntrospectionRefused, &why, true, false));
            }
            status @ (429 | 500..) => {
                let why = format!("status {status}");
                return Err(unread(Reason::IntrospectionUnavailable, &why, true, true));
            }
            status => {
                let redirected = if (300..400).contains(&status) {
                    ", and redirects are not followed"
                } else {
                    ""
                };
                let why = format!("status {status}{redirected}");
                let ill = !(400..500).contains(&status);
                return Err(unread(Reason::IntrospectionAnswer, &why, ill, false));
            }
        }
        let answer = |why: &str| unread(Reason::IntrospectionAnswer, why, true, false);
        let bytes = answered.body.len();
        if let Some(signed) = &self.signed {
            if answered.media_type != SIGNED {
                return Err(answer(
                    "the answer is not signed, and `signed` wants it to be",
                ));
            }
            return Ok((self.opened(signed, &answered.body, now).await?, bytes));
        }
        let told = told(&self.config.answers, &answered.body, false, now)
            .map_err(|why| answer(&format!("the answer cannot be read: {why}")))?;
        Ok((told, bytes))
    }

    /// What a signed answer says. Keys that cannot be had speak against whoever serves them, not against this server.
    async fn opened(
        &self,
        signed: &SignedAnswers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Told, Unread> {
        let client_id = &self.config.endpoint.client.id;
        let payload = signed.open(body, client_id, now).await;
        let payload = payload.map_err(|denial| {
            let is_outage = denial.reason() == Reason::KeySetUnavailable;
            Unread {
                ill: !is_outage,
                failed: Failed { denial, is_outage },
            }
        })?;
        told(&self.config.answers, &payload, true, now).map_err(|why| {
            let why = format!("the signed answer cannot be read: {why}");
            Unread {
                failed: self.failed(Reason::IntrospectionAnswer, &why, false),
                ill: true,
            }
        })
    }

    /// Remembers what the server says.
    fn note(&self, told: Told, bytes: usize, digest: Digest, now: Timestamp) -> Outcome {
        let refused = |denial: Denial| {
            self.memory.refused(digest, denial.clone(), now);
            Failed {
                denial,
                is_outage: false,
            }
        };
        match told {
            Told::Inactive => {
                let detail = format!("server `{}` says that it is not active", self.config.name);
                Err(refused(Denial::new(Reason::TokenInactive, detail)))
            }
            Told::Active(Err(denial)) => Err(refused(denial)),
            Told::Active(Ok(accepted)) => {
                let active = Active {
                    subject: accepted.subject.clone(),
                    not_before: accepted.not_before,
                    at: now,
                    bytes,
                };
                self.memory.active(digest, active);
                Ok(Box::new(accepted.subject))
            }
        }
    }

    fn failed(&self, reason: Reason, why: &str, is_outage: bool) -> Failed {
        let detail = format!("server `{}`: {why}", self.contact.name());
        Failed {
            denial: Denial::new(reason, detail),
            is_outage,
        }
    }
}

/// No answer.
struct Unread {
    failed: Failed,
    /// Whether that speaks against the server.
    ill: bool,
}
