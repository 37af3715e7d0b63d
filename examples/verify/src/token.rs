//! One token against a key set: header, signature, issuer, audience, times. No network, no clock.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// `typ` of identity tokens. A token of another kind is refused, whoever signed it (RFC 8725 section 3.11).
pub const TYPE: &str = "doorward-identity+jwt";

/// How far the clocks of gate and backend may be apart, in seconds.
const LEEWAY: i64 = 5;

/// Whose tokens are accepted, and for whom they must be.
#[derive(Clone, Debug)]
pub struct Expected {
    /// `issuer` of the gate's `identity_token`.
    pub issuer: String,
    /// `audience` of the gate's `identity_token`.
    pub audience: String,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no JWT of this kind.
    Malformed,
    /// The key set has no such key. A fresh one may have it.
    KeyUnknown,
    /// It was not signed by the key that it names.
    Signature,
    /// Somebody else minted it.
    Issuer,
    /// It is meant for somebody else.
    Audience,
    /// Its time is over, or has not come.
    Expired,
}

/// The public keys of the gate.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: String,
    algorithm: &'static str,
    public: Vec<u8>,
}

impl KeySet {
    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a key set (RFC 7517 section 5). What is no key on P-256 or Ed25519 is left out.
    pub fn parse(text: &[u8]) -> Self {
        let set: Value = serde_json::from_slice(text).unwrap_or_default();
        let keys = set.get("keys").and_then(Value::as_array);
        Self(keys.into_iter().flatten().filter_map(Key::parse).collect())
    }
}

impl Key {
    fn parse(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let (algorithm, public) = match (text("kty")?, text("crv")?) {
            ("EC", "P-256") => ("ES256", [vec![4], number("x")?, number("y")?].concat()),
            ("OKP", "Ed25519") => ("EdDSA", number("x")?),
            _ => return None,
        };
        let id = text("kid")?.to_owned();
        Some(Self {
            id,
            algorithm,
            public,
        })
    }

    fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        let verified = match self.algorithm {
            "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public)
                .verify(text.as_bytes(), signature),
            _ => UnparsedPublicKey::new(&ED25519, &self.public).verify(text.as_bytes(), signature),
        };
        verified.is_ok()
    }
}

/// The claims of `token`, if the gate minted it for this backend and its time is not over at `now` (seconds since the epoch).
///
/// # Errors
/// See [`Refused`].
pub fn verify(
    token: &str,
    keys: &KeySet,
    expected: &Expected,
    now: i64,
) -> Result<Map<String, Value>, Refused> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Refused::Malformed)?;
    let header = object(header)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("typ") != Some(TYPE) {
        return Err(Refused::Malformed);
    }
    let key = keys
        .0
        .iter()
        .find(|key| Some(key.id.as_str()) == text("kid"));
    let key = key.ok_or(Refused::KeyUnknown)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| Refused::Malformed)?;
    // The key decides how it signs, never the token (RFC 8725 section 3.1).
    if text("alg") != Some(key.algorithm) || !key.has_signed(signed, &signature) {
        return Err(Refused::Signature);
    }
    let claims = object(payload)?;
    let says =
        |name: &str, expected: &str| claims.get(name).and_then(Value::as_str) == Some(expected);
    if !says("iss", &expected.issuer) {
        return Err(Refused::Issuer);
    }
    if !says("aud", &expected.audience) {
        return Err(Refused::Audience);
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (minted, ends) = time("iat").zip(time("exp")).ok_or(Refused::Malformed)?;
    if now >= ends.saturating_add(LEEWAY) || now < minted.saturating_sub(LEEWAY) {
        return Err(Refused::Expired);
    }
    Ok(claims)
}

fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    let json = URL_SAFE_NO_PAD.decode(part).ok();
    let object = json.and_then(|json| serde_json::from_slice(&json).ok());
    object.ok_or(Refused::Malformed)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
    };
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
        }

        fn key_set(&self) -> KeySet {
            let point = self.0.public_key().as_ref();
            let (x, y) = (
                URL_SAFE_NO_PAD.encode(&point[1..33]),
                URL_SAFE_NO_PAD.encode(&point[33..]),
            );
            let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y});
            KeySet::parse(
                json!({"keys": [{"kty": "RSA"}, jwk]})
                    .to_string()
                    .as_bytes(),
            )
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = self
                .0
                .sign(&SystemRandom::new(), signed.as_bytes())
                .unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn expected() -> Expected {
        Expected {
            issuer: "gate".to_owned(),
            audience: "backend".to_owned(),
        }
    }

    #[test]
    fn refuses_whatever_the_gate_did_not_mint_for_this_backend_now() {
        let signer = Signer::new();
        let good_header = json!({"alg": "ES256", "typ": TYPE, "kid": "k"});
        let good = json!({"iss": "gate", "aud": "backend", "iat": NOW - 10, "exp": NOW + 50, "tenant": "acme"});
        let with = |of: &Value, name: &str, value: Value| {
            let mut changed = of.clone();
            changed[name] = value;
            changed
        };
        let claims =
            |name: &str, value: Value| signer.token(&good_header, &with(&good, name, value));
        let header =
            |name: &str, value: Value| signer.token(&with(&good_header, name, value), &good);
        let passes = signer.token(&good_header, &good);
        let verified = verify(&passes, &signer.key_set(), &expected(), NOW).unwrap();
        assert_eq!(verified["tenant"], "acme");
        for (token, refused) in [
            (Signer::new().token(&good_header, &good), Refused::Signature),
            (header("alg", json!("none")), Refused::Signature),
            (header("alg", json!("EdDSA")), Refused::Signature),
            (header("typ", json!("at+jwt")), Refused::Malformed),
            (header("kid", json!("other")), Refused::KeyUnknown),
            (claims("iss", json!("somebody")), Refused::Issuer),
            (claims("aud", json!("other")), Refused::Audience),
            (claims("aud", json!(["backend"])), Refused::Audience),
            (claims("exp", json!(NOW - LEEWAY)), Refused::Expired),
            (claims("iat", json!(NOW + LEEWAY + 1)), Refused::Expired),
            (claims("exp", json!("soon")), Refused::Malformed),
            (String::new(), Refused::Malformed),
            ("a.b".to_owned(), Refused::Malformed),
        ] {
            let found = verify(&token, &signer.key_set(), &expected(), NOW);
            assert_eq!(found, Err(refused), "{token}");
        }
    }
}
