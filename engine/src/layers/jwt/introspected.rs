//! Answers of introspection servers (RFC 7662 section 2.2), read as strictly as tokens: the same JSON, the same claims.

use std::sync::Arc;

use doorward_keys::Timestamp;

use super::{
    claims::{self, Accepted},
    compact::{Compact, decode},
    config::IssuerConfig,
    facts::Claims,
    header::Header,
    issuer_keys::{IssuerKeys, Wanted},
    issuers::allowed_algorithm,
    json::{Object, Value},
    source::{FetchError, KeySetSource},
};
use crate::{
    denial::{Denial, Reason},
    layers::rate_limit::Pause,
};

/// How old a signed answer may be beside the leeway, in seconds: it was asked for a moment ago.
const MAX_AGE: i64 = 60;

/// What a server says of a token.
pub(crate) enum Told {
    /// It is not active, for whatever reason (RFC 7662 section 2.2).
    Inactive,
    /// It is active, and this is what comes of the checks.
    Active(Result<Box<Accepted>, Denial>),
}

/// Reads the answer `body`, or the object in it where it is the payload of a signed one. The error says why it is no
/// answer; then nothing is known of the token.
pub(crate) fn told(
    config: &IssuerConfig,
    body: &[u8],
    is_signed: bool,
    now: Timestamp,
) -> Result<Told, String> {
    let whole = Object::document(body)?;
    let answer = if is_signed {
        // RFC 9701 section 5: what stands beside it is about the answer, not the token.
        match whole.get("token_introspection") {
            Some(Value::Object(answer)) => answer,
            Some(other) => return Err(format!("`token_introspection` is {}", other.kind())),
            None => return Err("it has no `token_introspection`".to_owned()),
        }
    } else {
        &whole
    };
    match answer.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(Told::Inactive),
        Some(other) => return Err(format!("`active` is {}, not a boolean", other.kind())),
        None => return Err("it has no `active`".to_owned()),
    }
    let accepted = issuer(config, answer)
        .and_then(|()| claims::check_claims(config, answer, now))
        .map(Box::new);
    let named = |denial: Denial| {
        let detail = format!("server `{}`: {}", config.name, denial.detail());
        Denial::new(denial.reason(), detail)
    };
    Ok(Told::Active(accepted.map_err(named)))
}

/// `iss` is optional (RFC 7662 section 2.2); where it stands it must be the configured one.
fn issuer(config: &IssuerConfig, answer: &Object<'_>) -> Result<(), Denial> {
    match Claims(answer).text("iss")? {
        Some(found) if found != &*config.issuer => Err(Denial::new(
            Reason::TokenIssuer,
            format!(
                "`iss` of the answer is {}, not that of the server",
                super::shown::shown(found)
            ),
        )),
        _ => Ok(()),
    }
}

/// Opens signed answers (RFC 9701) of one server.
pub(crate) struct SignedAnswers {
    config: Arc<IssuerConfig>,
    keys: IssuerKeys,
}

impl SignedAnswers {
    /// For the server with this configuration, whose keys come from `source`.
    pub(crate) fn new(
        config: Arc<IssuerConfig>,
        source: Arc<dyn KeySetSource>,
        pause: Pause,
    ) -> Self {
        Self {
            keys: IssuerKeys::new(Arc::clone(&config), source, pause),
            config,
        }
    }

    /// Fetches the keys, where they are not there yet.
    pub(crate) async fn prefetch(&self, now: Timestamp) -> (String, Result<(), FetchError>) {
        (self.config.name.to_string(), self.keys.prefetch(now).await)
    }

    /// The payload of a signed answer to `client_id`.
    pub(crate) async fn open(
        &self,
        answer: &[u8],
        client_id: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, Denial> {
        let told = self.checked(answer, client_id, now).await;
        told.map_err(|denial| {
            if denial.reason() == Reason::KeySetUnavailable {
                return denial;
            }
            let detail = format!(
                "server `{}`: the signed answer: {}",
                self.config.name,
                denial.detail()
            );
            Denial::new(Reason::IntrospectionAnswer, detail)
        })
    }

    async fn checked(
        &self,
        answer: &[u8],
        client_id: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, Denial> {
        let wrong = |why: &str| Denial::new(Reason::IntrospectionAnswer, why);
        let text = std::str::from_utf8(answer).map_err(|_| wrong("it is not text"))?;
        let parts = Compact::split(text.trim_ascii(), usize::MAX)?;
        let header = Header::parse(parts.header)?;
        self.config.profile.check_kind(header.kind.as_deref())?;
        let algorithm = allowed_algorithm(&self.config, &header)?;
        let signature = decode(parts.signature, "signature")?;
        let payload = decode(parts.payload, "payload")?;
        let wanted = Wanted {
            id: header.key_id.as_deref(),
            algorithm,
        };
        let key = self.keys.key(wanted, now, || Ok(())).await?;
        let verifier = key
            .verifier(algorithm)
            .ok_or_else(|| wrong("its key is for another algorithm"))?;
        verifier
            .verify_sig(parts.signing_input.as_bytes(), &signature)
            .map_err(|_| wrong("its signature was not made with the key that it names"))?;
        {
            let object = Object::token_part(&payload).map_err(|why| wrong(&why))?;
            let claims = Claims(&object);
            if claims.required_text("iss")? != &*self.config.issuer {
                return Err(wrong("`iss` is another issuer"));
            }
            if !claims.audiences()?.contains(&client_id) {
                return Err(wrong("`aud` does not name this client"));
            }
            let issued = claims
                .time("iat")?
                .ok_or_else(|| wrong("`iat` is missing"))?;
            let leeway = self.config.leeway;
            if issued > now.plus(leeway) || issued.plus(leeway).plus(MAX_AGE) < now {
                return Err(wrong("`iat` is not now"));
            }
        }
        Ok(payload)
    }
}

#[cfg(test)]
mod tests;
