//! All issuers: a token goes in, a subject or a denial comes out.

use std::{collections::HashMap, sync::Arc};

use doorward_keys::Timestamp;

use super::{
    algorithm::Algorithm,
    claims,
    compact::{Compact, decode, malformed},
    config::IssuerConfig,
    header::{self, Header},
    issuer_keys::{IssuerKeys, Wanted},
    json::{Object, Value},
    seen::{Seen, Verified},
    shown::shown,
    signed::Signed,
    source::{FetchError, KeySetSource},
};
use crate::{
    denial::{Denial, Reason},
    identity::{Known, Subject},
    layers::rate_limit::Pause,
    waiting::join,
};

/// All issuers with their keys in memory. One for the life of the process, shared between concurrent requests.
pub struct Issuers {
    all: Vec<Issuer>,
    by_text: HashMap<Arc<str>, usize>,
    max_token_bytes: usize,
    headers: header::Known,
    seen: Seen,
}

struct Issuer {
    config: Arc<IssuerConfig>,
    keys: IssuerKeys,
}

impl Issuers {
    /// Takes the checked issuers; tokens longer than `max_token_bytes` are refused unread. Of several issuers with the
    /// same `issuer` text, which the configuration does not allow, the first counts.
    pub fn new(
        issuers: Vec<Arc<IssuerConfig>>,
        max_token_bytes: usize,
        source: Arc<dyn KeySetSource>,
        pause: Pause,
    ) -> Self {
        let mut by_text = HashMap::new();
        for (index, config) in issuers.iter().enumerate() {
            by_text.entry(Arc::clone(&config.issuer)).or_insert(index);
        }
        let sources = std::iter::repeat_n(source, issuers.len());
        let all = issuers
            .into_iter()
            .zip(sources)
            .map(|(config, source)| Issuer {
                keys: IssuerKeys::new(Arc::clone(&config), source, pause),
                config,
            })
            .collect();
        Self {
            all,
            by_text,
            max_token_bytes,
            headers: header::Known::default(),
            seen: Seen::new(),
        }
    }

    /// Verifies `token` at `now`. With the keys in memory nothing is awaited.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Known<Subject>>, Denial> {
        let signed = Signed::of(Compact::split(token, self.max_token_bytes)?);
        if let Some(subject) = self.seen_before(&signed, now).await {
            return Ok(subject);
        }
        self.first_sight(&signed, now).await
    }

    /// Verifies a token that was not seen before.
    async fn first_sight(
        &self,
        signed: &Signed<'_>,
        now: Timestamp,
    ) -> Result<Arc<Known<Subject>>, Denial> {
        let parts = signed.parts;
        let header = self.headers.parse(parts.header)?;
        let payload = decode(parts.payload, "payload")?;
        let claims =
            Object::token_part(&payload).map_err(|why| malformed(format!("the payload: {why}")))?;
        let (index, issuer) = self.issuer_of(&claims)?;
        let named = |denial: Denial| {
            let detail = format!("issuer `{}`: {}", issuer.config.name, denial.detail());
            Denial::new(denial.reason(), detail)
        };
        let algorithm = allowed_algorithm(&issuer.config, &header).map_err(named)?;
        let signature = decode(parts.signature, "signature").map_err(named)?;
        let wanted = Wanted {
            id: header.key_id.as_deref(),
            algorithm,
        };
        let check = || claims::check(&issuer.config, &header, &claims, now).map_err(named);
        // A token that its own claims condemn, such as one that expired long ago and names a key of that time, is not
        // worth a fetch.
        let worth_it = || check().map(drop);
        let key = issuer.keys.key(wanted, now, worth_it).await?;
        let verifier = key
            .verifier(algorithm)
            .ok_or_else(|| named(Denial::new(Reason::TokenKeyUnsuitable, "wrong algorithm")))?;
        if !signed.is_by(verifier, algorithm, &signature) {
            return Err(named(bad_signature(&header)));
        }
        let accepted = check()?;
        self.headers.keep(parts.header, &header);
        let subject = Arc::new(Known::from(accepted.subject));
        let remembered = Verified {
            issuer: index,
            names_key: header.key_id.is_some(),
            algorithm,
            key,
            not_before: accepted.not_before,
            subject: Arc::clone(&subject),
        };
        self.seen.insert(signed, remembered);
        Ok(subject)
    }

    /// The subject of `token`, if it was verified before and still holds at `now`. Nothing is computed or fetched for it.
    pub(crate) fn recall(&self, token: &str, now: Timestamp) -> Option<Arc<Known<Subject>>> {
        let signed = Signed::of(Compact::split(token, self.max_token_bytes).ok()?);
        let verified = self.seen.find(&signed, now)?;
        let issuer = self.all.get(verified.issuer)?;
        let key = issuer.keys.known(verified.wanted(), now)?;
        Arc::ptr_eq(&key, &verified.key).then_some(verified.subject)
    }

    /// Fetches the keys of all issuers that are not in memory, all at once, each with its outcome by the name of the
    /// issuer. What fails here is tried again by the first request that needs it.
    pub async fn prefetch(&self, now: Timestamp) -> Vec<(String, Result<(), FetchError>)> {
        let fetches = self.all.iter().map(|issuer| async move {
            let outcome = issuer.keys.prefetch(now).await;
            (issuer.config.name.to_string(), outcome)
        });
        join(fetches).await
    }

    /// Brings fetches to their end that no request waited for.
    pub async fn finish_fetches(&self) {
        join(self.all.iter().map(|issuer| issuer.keys.finish())).await;
    }

    /// The issuers whose keys serve past their freshness because fresh ones could not be had, and how old those are, in seconds.
    pub fn stale_key_sets(&self, now: Timestamp) -> Vec<(String, u64)> {
        let ages = self.all.iter().filter_map(|issuer| {
            let age = issuer.keys.stale_age(now)?;
            Some((issuer.config.name.to_string(), age))
        });
        ages.collect()
    }

    /// A token that was verified before and whose key is still served.
    async fn seen_before(
        &self,
        signed: &Signed<'_>,
        now: Timestamp,
    ) -> Option<Arc<Known<Subject>>> {
        let verified = self.seen.find(signed, now)?;
        let issuer = self.all.get(verified.issuer)?;
        let served = issuer.keys.key(verified.wanted(), now, || Ok(())).await;
        if served.is_ok_and(|key| Arc::ptr_eq(&key, &verified.key)) {
            verified.subject.shown_again();
            return Some(verified.subject);
        }
        self.seen.forget(signed);
        None
    }

    /// The issuer that the token names. The claim is not verified yet: it chooses, by exact text, and proves nothing
    /// (RFC 7519 section 7.3).
    fn issuer_of(&self, claims: &Object<'_>) -> Result<(usize, &Issuer), Denial> {
        let found = match claims.get("iss") {
            Some(Value::Text(text)) => {
                if let Some(index) = self.by_text.get(text.as_ref())
                    && let Some(issuer) = self.all.get(*index)
                {
                    return Ok((*index, issuer));
                }
                shown(text)
            }
            Some(other) => format!("{}, not text", other.kind()),
            None => "missing".to_owned(),
        };
        let detail = format!("`iss` is {found}; no such issuer is configured");
        Err(Denial::new(Reason::TokenIssuer, detail))
    }
}

/// The algorithm, if the issuer uses it (RFC 8725 section 3.1).
pub(super) fn allowed_algorithm(
    config: &IssuerConfig,
    header: &Header,
) -> Result<Algorithm, Denial> {
    Algorithm::named(&header.algorithm)
        .filter(|algorithm| config.algorithms.contains(algorithm))
        .ok_or_else(|| {
            let expected: Vec<&str> = config.algorithms.iter().map(|a| a.name()).collect();
            Denial::new(
                Reason::TokenAlgorithm,
                format!(
                    "`alg` is {}, expected {}",
                    shown(&header.algorithm),
                    expected.join(" ")
                ),
            )
        })
}

fn bad_signature(header: &Header) -> Denial {
    let key = match &header.key_id {
        Some(id) => format!("key {}", shown(id)),
        None => "the only key that fits".to_owned(),
    };
    Denial::new(
        Reason::TokenSignature,
        format!("the signature was not made with {key}"),
    )
}
