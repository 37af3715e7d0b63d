//! What the caller presented, found once and routed once by its form.
//!
//! 1. An API key may stand in `Authorization: Bearer` or `ApiKey`, in the configured headers, or in the configured query
//!    parameter; a token in `Authorization: Bearer` or `DPoP`, or in the configured query parameter or cookie.
//! 2. A credential is routed by its form: the configured key prefix makes it an API key, two dots make it a JWT; where
//!    servers know opaque tokens, two dots and a JSON header make it a JWT, and anything else is opaque. It is never tried as
//!    another kind.
//!    What looks like a key that was made elsewhere is an API key among tokens only where the configuration says so.
//! 3. The scheme is compared in any case (RFC 9110 section 11.1); after it come one or more spaces, one token, and
//!    nothing else (RFC 6750 section 2.1). Without a scheme nothing in an `Authorization` header is taken for a credential.
//!    The token of a TOKEN or AppSync event may be bare all the same: a TOKEN event does not say from which header its
//!    value comes, which may be one that has no schemes, and AppSync hands on whatever clients send.
//! 4. With an opaque token the configured header may say of which issuer it is; with anything else it is not read.
//! 5. The same kind twice, in one place or in two, is refused (RFC 6750 section 2), and so is a header that contradicts
//!    itself.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_keys::Timestamp;

use crate::{
    config::Config,
    denial::{Denial, Reason},
    layers::jwt::Object,
    request::{Lookup, Request},
    routes::Kind,
};

/// The credentials of one request, not verified yet. No `Debug`: it holds secrets.
#[derive(Default)]
pub struct Presented<'a> {
    /// A text with the prefix of our keys, or one that stood where only keys may stand.
    pub api_key: Option<&'a str>,
    /// A text with the form of a JWT.
    pub jwt: Option<&'a str>,
    /// Whether the token came with the scheme `DPoP`, which demands a proof (RFC 9449 section 7.1).
    pub by_dpop: bool,
    /// Any other text, where servers are configured that may know it.
    pub opaque: Option<&'a str>,
    /// Of which issuer that text is, where the request says so. Not verified, so it may choose and no more.
    pub issuer_hint: Option<&'a str>,
}

impl<'a> Presented<'a> {
    /// Finds what `request` carries in the places that `config` names.
    pub fn find(request: &'a Request, config: &Config) -> Result<Self, Denial> {
        let mut found = Self::default();
        let now = request.received_at.timestamp();
        match request.headers.one("authorization") {
            Lookup::Absent => {}
            Lookup::Conflict => {
                return Err(repeated("the Authorization header occurs more than once"));
            }
            Lookup::One(value) => match with_scheme(value)? {
                Some((scheme, credential)) => found.take(scheme, credential, config, now)?,
                None => return Err(malformed("the Authorization header names no scheme")),
            },
        }
        if let Some(token) = &request.token {
            match with_scheme(token.expose())? {
                Some((scheme, credential)) => found.take(scheme, credential, config, now)?,
                None => found.route(token.expose(), config, now)?,
            }
        }
        if let Some(keys) = &config.api_keys {
            for name in &keys.headers {
                match request.headers.one(name) {
                    Lookup::Absent => {}
                    Lookup::Conflict => {
                        return Err(repeated(format!(
                            "the `{name}` header occurs more than once"
                        )));
                    }
                    Lookup::One(value) => found.put_key(value)?,
                }
            }
            if let Some(name) = &keys.query_parameter {
                for value in named(&request.query, name) {
                    found.put_key(value)?;
                }
            }
        }
        let parameter = config
            .tokens
            .query_parameter
            .iter()
            .flat_map(|name| named(&request.query, name));
        let cookie = config
            .tokens
            .cookie
            .iter()
            .flat_map(|name| named(&request.cookies, name));
        for value in parameter.chain(cookie) {
            found.route(value, config, now)?;
        }
        if found.opaque.is_some() {
            found.issuer_hint = issuer_hint(request, config)?;
        }
        Ok(found)
    }

    /// The token that was presented, of whatever kind.
    pub fn token(&self) -> Option<&'a str> {
        self.jwt.or(self.opaque)
    }

    /// The kinds that were presented.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + Clone + use<> {
        let (key, jwt, opaque) = (
            self.api_key.map(|_| Kind::ApiKey),
            self.jwt.map(|_| Kind::Jwt),
            self.opaque.map(|_| Kind::Opaque),
        );
        key.into_iter().chain(jwt).chain(opaque)
    }

    fn take(
        &mut self,
        scheme: Scheme,
        credential: &'a str,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Denial> {
        match scheme {
            Scheme::Bearer => self.route(credential, config, now),
            Scheme::ApiKey if config.api_keys.is_none() => Err(Denial::new(
                Reason::CredentialUnsupported,
                "API keys are not configured",
            )),
            Scheme::ApiKey => self.put_key(credential),
            Scheme::Dpop if config.dpop.is_none() => Err(Denial::new(
                Reason::CredentialUnsupported,
                "the scheme `DPoP` is not accepted here: proofs are not configured",
            )),
            Scheme::Dpop => {
                let had_key = self.api_key.is_some();
                self.route(credential, config, now)?;
                if self.api_key.is_some() != had_key {
                    return Err(malformed("an API key came with the scheme `DPoP`"));
                }
                self.by_dpop = true;
                Ok(())
            }
        }
    }

    fn route(
        &mut self,
        credential: &'a str,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let Some(dots) = dots_of_token68(credential) else {
            return Err(malformed(
                "the credential is empty or holds characters that none may have",
            ));
        };
        if config.api_keys.as_ref().is_some_and(|keys| {
            keys.format.owns(credential) || keys.imported.own_bearer(credential, now)
        }) {
            return self.put_key(credential);
        }
        let asks_servers = !config.introspection.is_empty();
        if asks_servers && !is_jwt(credential) {
            if self.opaque.replace(credential).is_some() || self.jwt.is_some() {
                return Err(repeated("two tokens were presented"));
            }
            return Ok(());
        }
        if dots != 2 {
            return Err(Denial::new(
                Reason::CredentialUnsupported,
                "the credential is neither one of our keys nor a JWT",
            ));
        }
        if config.issuers.is_empty() {
            return Err(Denial::new(
                Reason::CredentialUnsupported,
                "no issuer of tokens is configured",
            ));
        }
        if self.jwt.replace(credential).is_some() || self.opaque.is_some() {
            return Err(repeated("two tokens were presented"));
        }
        Ok(())
    }

    fn put_key(&mut self, key: &'a str) -> Result<(), Denial> {
        if self.api_key.replace(key).is_some() {
            return Err(repeated("two API keys were presented"));
        }
        Ok(())
    }
}

/// What the request says of the issuer of its token.
fn issuer_hint<'a>(request: &'a Request, config: &Config) -> Result<Option<&'a str>, Denial> {
    let Some(name) = &config.tokens.issuer_header else {
        return Ok(None);
    };
    match request.headers.one(name) {
        Lookup::Absent => Ok(None),
        Lookup::One(value) => Ok(Some(value)),
        Lookup::Conflict => {
            let detail = format!("the `{name}` header occurs more than once");
            Err(Denial::new(Reason::TokenHint, detail))
        }
    }
}

/// Schemes that may stand in the log (IANA: HTTP Authentication Scheme Registry). Any other word may be a part of a secret.
const KNOWN: [&str; 9] = [
    "Basic",
    "Concealed",
    "Digest",
    "GNAP",
    "HOBA",
    "Mutual",
    "Negotiate",
    "OAuth",
    "PrivateToken",
];

/// The schemes that are accepted.
#[derive(Clone, Copy)]
enum Scheme {
    /// An API key or a token, told apart by its form.
    Bearer,
    /// An API key.
    ApiKey,
    /// A token that is bound to a key (RFC 9449 section 7.1).
    Dpop,
}

impl Scheme {
    fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case("apikey") {
            Some(Self::ApiKey)
        } else if name.eq_ignore_ascii_case("dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// The scheme and the credential behind it; `None` for a text without a scheme. A scheme and nothing behind it is refused
/// whether a space follows it or not.
fn with_scheme(value: &str) -> Result<Option<(Scheme, &str)>, Denial> {
    let (name, rest) = value.split_once(' ').unwrap_or((value, ""));
    let credential = rest.trim_start_matches(' ');
    match Scheme::named(name) {
        Some(_) if credential.is_empty() => {
            Err(malformed("there is no credential behind the scheme"))
        }
        Some(scheme) => Ok(Some((scheme, credential))),
        None if value.is_empty() => Err(malformed("the credential is empty")),
        None if !value.contains(' ') => Ok(None),
        None => {
            let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
            let detail = match known {
                Some(known) => format!("the scheme `{known}` is not accepted here"),
                None => "the scheme is none that is known".to_owned(),
            };
            Err(Denial::new(Reason::CredentialUnsupported, detail))
        }
    }
}

fn malformed(detail: &str) -> Denial {
    Denial::new(Reason::CredentialMalformed, detail)
}

fn repeated(detail: impl Into<String>) -> Denial {
    Denial::new(Reason::CredentialRepeated, detail)
}

fn named<'a>(
    pairs: &'a [(String, doorward_keys::Secret<String>)],
    name: &str,
) -> impl Iterator<Item = &'a str> {
    pairs
        .iter()
        .filter(move |(held, _)| held == name)
        .map(|(_, value)| value.expose().as_str())
}

/// How many dots a text has that is `token68` (RFC 9110 section 11.2), or would be but for `_`, which base64url uses; `None` for any
/// other. No comma: HTTP APIs join repeated headers with it.
///
/// Each request has a token, and tokens are long, so eight bytes are looked up in one step. A plain loop is not made into wide steps
/// where the whole program is linked for size.
fn dots_of_token68(text: &str) -> Option<usize> {
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    // INVARIANT: at most eight times `DOT`, so nothing is lost.
    let look = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum: u16, b| sum.wrapping_add(look_up(*b)))
    };
    let last = look(rest);
    let (mut fits, mut dots) = (usize::from(last & FITS_MASK) == rest.len(), last >> 8);
    for [a, b, c, d, e, f, g, h] in eights {
        let first = look_up(*a)
            .wrapping_add(look_up(*b))
            .wrapping_add(look_up(*c))
            .wrapping_add(look_up(*d));
        let second = look_up(*e)
            .wrapping_add(look_up(*f))
            .wrapping_add(look_up(*g))
            .wrapping_add(look_up(*h));
        let sum = first.wrapping_add(second);
        fits &= sum & FITS_MASK == 8;
        dots = dots.saturating_add(sum >> 8);
    }
    (fits && !text.is_empty()).then_some(usize::from(dots))
}

/// What counts for a byte that fits; how many did stands in the low byte of a sum.
const FITS: u16 = 1;
const FITS_MASK: u16 = 0xff;
/// What counts for a dot; how many there are stands in the high byte.
const DOT: u16 = 0x100 | FITS;

/// What counts for each byte.
static COUNTED: [u16; 256] = {
    let mut counted = [0; 256];
    let mut byte = 0_u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "there is a place for every byte")]
        if byte == b'.' {
            counted[byte as usize] = DOT;
        } else if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'/' | b'_' | b'~' | b'+' | b'=')
        {
            counted[byte as usize] = FITS;
        }
        if byte == u8::MAX {
            break counted;
        }
        byte += 1;
    }
};

fn look_up(byte: u8) -> u16 {
    COUNTED.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Whether a token has the form of a JWT: three parts, the first of which is a JSON object in base64url. Opaque tokens may
/// have dots too.
fn is_jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let header = parts.next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    parts.take(3).count() == 2 && Object::token_part(&header).is_ok()
}

#[cfg(test)]
mod tests;
