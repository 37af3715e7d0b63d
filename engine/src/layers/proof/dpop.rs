//! One `DPoP` proof (RFC 9449 section 4.2), and the checks of section 4.3 that need nothing but it and the request.

use aws_lc_rs::digest::{SHA256, digest};
use doorward_keys::Timestamp;

use super::{config::DpopConfig, confirmation, target};
use crate::{
    decision::Context as Facts,
    denial::{Denial, Reason},
    layers::jwt::{
        algorithm::Algorithm,
        compact::{Compact, decode},
        json::{Object, Value},
        jwk::Key,
        shown::shown,
    },
    request::{Request, Target},
};

/// The longest proof that is read, in bytes. One with an RSA key of 8192 bits has 4,000.
const MAX_BYTES: usize = 8192;

/// The longest `jti`, in bytes.
const MAX_ID: usize = 512;

/// A proof whose signature was made with the key in it.
pub(super) struct Proof {
    /// The thumbprint of its key (RFC 7638 section 3).
    pub(super) thumbprint: [u8; 32],
    /// `jti`.
    pub(super) id: String,
    pub(super) issued_at: Timestamp,
    method: String,
    address: String,
    token_digest: Option<[u8; 32]>,
    nonce: Option<String>,
}

impl Proof {
    /// Checks 2 to 7.
    pub(super) fn read(text: &str, config: &DpopConfig) -> Result<Self, Denial> {
        let of_proof = |denial: Denial| malformed(denial.detail());
        let parts = Compact::split(text, MAX_BYTES).map_err(of_proof)?;
        let header = decode(parts.header, "header").map_err(of_proof)?;
        let payload = decode(parts.payload, "payload").map_err(of_proof)?;
        let signature = decode(parts.signature, "signature").map_err(of_proof)?;
        let header =
            Object::token_part(&header).map_err(|why| malformed(format!("the header: {why}")))?;
        let claims =
            Object::token_part(&payload).map_err(|why| malformed(format!("the payload: {why}")))?;

        for name in ["crit", "b64"] {
            if header.has(name) {
                return Err(malformed(format!("the header has `{name}`")));
            }
        }
        let kind = text_of(&header, "typ")?;
        if !kind.eq_ignore_ascii_case("dpop+jwt") {
            return Err(malformed(format!(
                "`typ` is {}, expected `dpop+jwt`",
                shown(kind)
            )));
        }
        let name = text_of(&header, "alg")?;
        let algorithm = Algorithm::named(name)
            .filter(|algorithm| config.algorithms.contains(algorithm))
            .ok_or_else(|| {
                let detail = format!("`alg` is {}, which is not on the list", shown(name));
                Denial::new(Reason::ProofAlgorithm, detail)
            })?;
        let Some(Value::Object(jwk)) = header.get("jwk") else {
            return Err(malformed("the header has no `jwk`"));
        };
        let key =
            Key::parse(jwk, &[algorithm]).map_err(|why| malformed(format!("`jwk`: {why}")))?;
        let verifier = key
            .verifier(algorithm)
            .ok_or_else(|| malformed("`jwk` is not for this algorithm"))?;
        if verifier
            .verify_sig(parts.signing_input.as_bytes(), &signature)
            .is_err()
        {
            return Err(Denial::new(
                Reason::ProofSignature,
                "the proof was not signed with the key in it",
            ));
        }
        let id = text_of(&claims, "jti")?;
        if id.is_empty() || id.len() > MAX_ID {
            return Err(malformed(format!(
                "`jti` is empty or longer than {MAX_ID} bytes"
            )));
        }
        let token_digest = match claims.get("ath") {
            None => None,
            Some(found) => Some(
                found
                    .as_text()
                    .and_then(confirmation::digest)
                    .ok_or_else(|| malformed("`ath` is no SHA-256 in base64url"))?,
            ),
        };
        let nonce = match claims.get("nonce") {
            None => None,
            Some(_) => Some(text_of(&claims, "nonce")?.to_owned()),
        };
        Ok(Self {
            thumbprint: thumbprint(jwk)?,
            id: id.to_owned(),
            issued_at: issued_at(&claims)?,
            method: text_of(&claims, "htm")?.to_owned(),
            address: text_of(&claims, "htu")?.to_owned(),
            token_digest,
            nonce,
        })
    }

    /// Checks 8 to 12 for `token`, which is bound to the key with this thumbprint.
    pub(super) fn check(
        &self,
        request: &Request,
        (token, bound_to): (&str, &[u8; 32]),
        config: &DpopConfig,
        now: Timestamp,
    ) -> Result<(), Denial> {
        self.check_target(request, config)?;
        self.check_time(config, now)?;
        let wanted = digest(&SHA256, token.as_bytes());
        match &self.token_digest {
            Some(found) if found == wanted.as_ref() => {}
            Some(_) => {
                let detail = "`ath` is the digest of another token";
                return Err(Denial::new(Reason::ProofToken, detail));
            }
            None => {
                let detail = "`ath` is missing: the proof is for no token";
                return Err(Denial::new(Reason::ProofToken, detail));
            }
        }
        if self.thumbprint != *bound_to {
            return Err(Denial::new(
                Reason::ProofKey,
                "the token is bound to another key than that of the proof",
            ));
        }
        self.check_nonce(config, now)
    }

    /// Last of all, so that nobody gets a nonce for a proof that is worth nothing.
    fn check_nonce(&self, config: &DpopConfig, now: Timestamp) -> Result<(), Denial> {
        let Some(nonces) = &config.nonce else {
            return Ok(());
        };
        let detail = match &self.nonce {
            Some(nonce) if nonces.accepts(nonce, now) => return Ok(()),
            Some(_) => "the nonce is not ours, or too old",
            None => "there is no nonce",
        };
        // The refusal is kept no longer than any answer that rests on a proof.
        let facts = Facts::from([("dpopNonce".into(), nonces.fresh(now))]);
        Err(Denial::new(Reason::ProofNonce, detail).with_facts(facts, now.plus(2)))
    }

    fn check_target(&self, request: &Request, config: &DpopConfig) -> Result<(), Denial> {
        let refused = |detail: String| Err(Denial::new(Reason::ProofTarget, detail));
        let method = match &request.target {
            Target::Http { verb, .. } => verb.as_str(),
            // A WebSocket connection is opened by GET (RFC 6455 section 4.1), a GraphQL operation comes by POST.
            Target::Connect => "GET",
            Target::GraphQl => "POST",
        };
        if self.method != method {
            return refused(format!(
                "`htm` is {}, the request is `{method}`",
                shown(&self.method)
            ));
        }
        let Some(found) = target::Address::parse(&self.address) else {
            return refused(format!("`htu` is {}, no address", shown(&self.address)));
        };
        let wanted = target::addresses(request, &config.public_urls);
        if wanted.contains(&found) {
            return Ok(());
        }
        match wanted.first() {
            Some(wanted) => refused(format!(
                "`htu` is {}, the request was sent to {}",
                shown(&self.address),
                shown(&wanted.to_string())
            )),
            None => refused(
                "the event does not state the address of the request; set `dpop.public_urls`"
                    .to_owned(),
            ),
        }
    }

    fn check_time(&self, config: &DpopConfig, now: Timestamp) -> Result<(), Denial> {
        let age = now.since(self.issued_at);
        if age > config.max_age {
            let detail = format!(
                "made {age} seconds ago, at most {} are accepted",
                config.max_age
            );
            return Err(Denial::new(Reason::ProofTime, detail));
        }
        if age < -config.leeway {
            let detail = format!(
                "made {} seconds from now, leeway is {}",
                self.issued_at.since(now),
                config.leeway
            );
            return Err(Denial::new(Reason::ProofTime, detail));
        }
        Ok(())
    }
}

/// RFC 7638 section 3.2: the members that make the key, by name, without white space.
pub(super) fn thumbprint(jwk: &Object<'_>) -> Result<[u8; 32], Denial> {
    let names: &[&str] = match text_of(jwk, "kty")? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        _ => return Err(malformed("`jwk` is of a kind that is not supported")),
    };
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        // Base64url and the names of curves need no escapes; the key was read already, so they are what they should be.
        members.push(format!("\"{name}\":\"{}\"", text_of(jwk, name)?));
    }
    let canonical = format!("{{{}}}", members.join(","));
    let found = digest(&SHA256, canonical.as_bytes());
    found
        .as_ref()
        .try_into()
        .map_err(|_| malformed("no digest"))
}

/// `iat`: a number of seconds, fractions cut off (RFC 7519 section 2).
fn issued_at(claims: &Object<'_>) -> Result<Timestamp, Denial> {
    let Some(Value::Number(number)) = claims.get("iat") else {
        return Err(malformed("`iat` is missing or not a number"));
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the conversion saturates, and the range is checked after it"
    )]
    let seconds = number
        .as_i64()
        .or_else(|| number.as_f64().map(|n| n.floor() as i64));
    match seconds {
        Some(seconds) if (0..=LATEST).contains(&seconds) => Ok(Timestamp::from_unix(seconds)),
        _ => Err(malformed("`iat` is not a time in seconds since 1970")),
    }
}

/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;

fn text_of<'o>(object: &'o Object<'_>, name: &str) -> Result<&'o str, Denial> {
    match object.get(name) {
        Some(Value::Text(text)) => Ok(text),
        Some(other) => Err(malformed(format!("`{name}` is {}, not text", other.kind()))),
        None => Err(malformed(format!("`{name}` is missing"))),
    }
}

fn malformed(detail: impl Into<String>) -> Denial {
    Denial::new(Reason::ProofMalformed, detail)
}
