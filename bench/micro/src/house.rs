//! An engine over stores in memory, and asking it without a runtime.

use std::{
    fmt::Write as _,
    future::{Future, pending},
    net::IpAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use doorward_engine::{
    Config, Engine, Request, Sources, Verdict,
    authority::Authorities,
    config::{AnswersConfig, ConfigEnv},
    request::{ApiStage, Entrance, Form, Headers, Target, Verb},
};

use crate::{
    credentials::{Credentials, ISSUER, NOW, record},
    stores::{Absent, HeldKeySet, HeldKeys},
};

/// The address that is let in nowhere.
pub const DENIED: &str = "198.51.100.66";

/// The address of everybody else.
pub const ADDRESS: &str = "203.0.113.7";

/// What a configuration holds how many of.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// At least 1.
    pub routes: u32,
    /// Denied ranges of addresses besides [`DENIED`].
    pub ranges: u32,
    /// At least 1; the last one is that of all tokens.
    pub issuers: u32,
    /// How long keys are remembered.
    pub cache_seconds: u32,
    /// How many keys are remembered.
    pub cache_entries: u32,
}

impl Size {
    /// A small house: 10 routes, 2 issuers, one denied address.
    pub const SMALL: Self = Self {
        routes: 10,
        ranges: 0,
        issuers: 2,
        cache_seconds: 60,
        cache_entries: 10_000,
    };

    /// The configuration as text.
    pub fn text(self) -> String {
        let mut text = format!(
            "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\ncache_seconds = {}\ncache_entries = {}\n[addresses]\ndeny = ['{DENIED}'",
            self.cache_seconds, self.cache_entries
        );
        // Writing to a text does not fail.
        for number in 0..self.ranges {
            // Every other /24 of 10.0.0.0/7, so that no two can be joined to one.
            let [_, high, middle, low] = (number * 2).to_be_bytes();
            let _ = write!(text, ", '{}.{middle}.{low}.0/24'", 10 + u32::from(high));
        }
        text.push_str("]\n");
        for number in (0..self.issuers).rev() {
            let issuer = match number {
                0 => ISSUER.to_owned(),
                _ => format!("https://issuer-{number}.test"),
            };
            let _ = write!(
                text,
                "[[issuers]]\nname = 'issuer-{number}'\nissuer = '{issuer}'\njwks_uri = '{issuer}/keys'\n\
                 algorithms = ['RS256', 'ES256', 'EdDSA']\naudiences = ['api']\n"
            );
        }
        text.push_str("[[routes]]\nroute = 'GET /orders/{id}'\ncredentials = ['jwt', 'api_key']\nscopes = ['orders:read']\n");
        for number in 1..self.routes {
            let _ = write!(
                text,
                "[[routes]]\nroute = 'GET /things-{number}/{{id}}'\ncredentials = ['jwt', 'api_key']\nscopes = ['things:{number}']\n"
            );
        }
        text
    }
}

/// An engine that has fetched its key sets.
pub struct House(Engine);

impl House {
    /// An engine for a configuration of this size that knows these keys.
    ///
    /// # Errors
    /// When there is a fault in the configuration, or a key set is refused.
    pub fn build(
        size: Size,
        credentials: &Credentials,
        stopwatch: fn() -> Duration,
    ) -> anyhow::Result<Self> {
        let records = credentials
            .keys
            .iter()
            .enumerate()
            .map(|(number, printed)| {
                let record = record(number, printed)?;
                Ok((*record.digest.as_bytes(), record))
            });
        let records = records.collect::<anyhow::Result<_>>()?;
        let absent = Arc::new(Absent);
        let sources = Sources {
            keys: Arc::new(HeldKeys(records)),
            blocks: Arc::clone(&absent) as _,
            key_sets: Arc::new(HeldKeySet(credentials.key_set.clone())),
            crls: Arc::clone(&absent) as _,
            replays: Arc::clone(&absent) as _,
            authorities: Authorities::none(),
            limits: absent,
            pause: |_| Box::pin(pending()),
            stopwatch,
        };
        let env = ConfigEnv {
            read_file: &|_| Err("there are no files".to_owned()),
            secret: &|_| Err("there are no secrets".to_owned()),
        };
        let checked = Config::read(&size.text(), "the configuration of a scene", &env);
        let checked = checked.map_err(|faults| anyhow!("{faults}"))?;
        let engine = Engine::new(checked.config, sources);
        for (issuer, outcome) in at_once(engine.prefetch(NOW))? {
            outcome.with_context(|| issuer)?;
        }
        Ok(Self(engine))
    }

    /// How answers are shaped here.
    pub fn answers(&self) -> AnswersConfig {
        self.0.config().answers.clone()
    }

    /// Decides.
    ///
    /// # Errors
    /// When the engine waits for something.
    pub fn decide(&self, request: &Request) -> anyhow::Result<Verdict> {
        at_once(self.0.decide(request))
    }
}

/// What comes of a future that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(anyhow!("the engine waits, and everything is in memory")),
    }
}

/// A clock that stands still, where instructions are counted.
pub const fn still() -> Duration {
    Duration::ZERO
}

/// The clock of this process, as the authorizer has one.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub fn stopwatch() -> Duration {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed()
}

/// `GET /orders/42` with this header `Authorization`, as the authorizer decodes it from an event of a REST API.
///
/// # Errors
/// When `address` is none.
pub fn request(authorization: &str, address: &str) -> anyhow::Result<Request> {
    let peer: IpAddr = address.parse()?;
    let headers = [
        ("accept", "application/json"),
        ("authorization", authorization),
        ("host", "a1b2c3.execute-api.us-east-1.amazonaws.com"),
        ("user-agent", "bench/1.0"),
        ("x-forwarded-for", ADDRESS),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ];
    Ok(Request {
        received_at: NOW.into(),
        time_left: None,
        stage: ApiStage::new("arn:aws:execute-api:us-east-1:111122223333:a1b2c3/v1".to_owned()),
        target: Target::Http {
            verb: Verb::parse("GET").context("no method")?,
            path: "/orders/42".to_owned(),
        },
        raw_paths: vec!["/orders/42".to_owned()],
        headers: Headers::from_maps(&headers, &headers),
        query: Vec::new(),
        cookies: Vec::new(),
        peer: Some(peer),
        token: None,
        certificate: None,
        entrance: Entrance::default(),
        form: Form::Policy,
        has_usage_plans: true,
    })
}
