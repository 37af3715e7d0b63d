//! Signing keys, key sets and tokens. Keys are made when a test runs; no private key is stored anywhere.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_engine::layers::jwt::Algorithm;
use serde_json::{Map, Value, json};

/// A key pair that signs tokens with one algorithm.
pub struct SigningKey {
    id: String,
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a key for `algorithm` under the name `id`.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make one.
    #[expect(clippy::expect_used, reason = "a test cannot go on without its keys")]
    pub fn generate(algorithm: Algorithm, id: &str) -> Self {
        let rsa = |encoding: &'static dyn RsaEncoding| {
            Pair::Rsa(
                RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"),
                encoding,
            )
        };
        let ec = |parameters, curve| {
            Pair::Ec(
                EcdsaKeyPair::generate(parameters).expect("an EC key"),
                curve,
            )
        };
        let pair = match algorithm {
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512),
            Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::Es512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            Algorithm::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::generate().expect("an Ed25519 key"))
            }
        };
        Self {
            id: id.to_owned(),
            algorithm,
            pair,
        }
    }

    /// A key that all tests of a process share, one per algorithm and name: making RSA keys takes long.
    pub fn shared(algorithm: Algorithm, id: &str) -> Arc<Self> {
        type Made = HashMap<(Algorithm, String), Arc<SigningKey>>;
        static MADE: OnceLock<Mutex<Made>> = OnceLock::new();
        let mut made = match MADE.get_or_init(Mutex::default).lock() {
            Ok(made) => made,
            Err(poisoned) => poisoned.into_inner(),
        };
        let key = made
            .entry((algorithm, id.to_owned()))
            .or_insert_with(|| Arc::new(Self::generate(algorithm, id)));
        Arc::clone(key)
    }

    /// The name of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key as the crypto library prints it: `RSAPublicKey` in DER (RFC 8017 appendix A.1.1), the uncompressed point, or
    /// the 32 bytes of Ed25519.
    pub fn public_key(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair, _) => pair.public_key().as_ref(),
            Pair::Ec(pair, _) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    /// The public key as an entry of a key set, with `kid`, `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.public_members();
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".to_owned(), json!(self.id));
            members.insert("alg".to_owned(), json!(self.algorithm.name()));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    }

    /// The public key with nothing but what makes the key (RFC 7518 section 6, RFC 8037 section 2).
    pub fn public_members(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair, _) => {
                let (modulus, exponent) = rsa_numbers(pair.public_key().as_ref());
                json!({ "kty": "RSA", "n": encode(modulus), "e": encode(exponent) })
            }
            Pair::Ec(pair, curve) => {
                // The uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref();
                let coordinates = point.get(1..).unwrap_or_default();
                let (x, y) = coordinates
                    .split_at_checked(coordinates.len() / 2)
                    .unwrap_or_default();
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Pair::Ed25519(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()),
            }),
        }
    }

    /// Signs any bytes.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot sign.
    #[expect(
        clippy::expect_used,
        reason = "a test cannot go on without its signature"
    )]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Pair::Ec(pair, _) => {
                let signature = pair.sign(&random, message).expect("an ECDSA signature");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// The modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1), without leading zeros.
fn rsa_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = der_value(der);
    let (modulus, rest) = der_value(sequence);
    let (exponent, _) = der_value(rest);
    let plain = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    (
        modulus.get(plain(modulus)..).unwrap_or_default(),
        exponent.get(plain(exponent)..).unwrap_or_default(),
    )
}

/// The content of the first DER value, and what follows it (X.690 section 8.1).
fn der_value(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, content) = match der {
        [_, length, content @ ..] if *length < 0x80 => (usize::from(*length), content),
        [_, count, rest @ ..] => {
            let (length, content) = rest
                .split_at_checked(usize::from(count & 0x7f))
                .unwrap_or_default();
            let length = length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, content)
        }
        _ => (0, der),
    };
    content.split_at_checked(length).unwrap_or_default()
}

/// A key set of these keys.
pub fn key_set<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> String {
    let keys: Vec<Value> = keys.into_iter().map(SigningKey::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Base64url without padding (RFC 7515 section 2).
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of any header and payload, signed as the bytes stand.
pub fn compact(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, key: &SigningKey) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// A token in the making: any header member and any claim can be set or left out.
#[derive(Clone, Debug, Default)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    /// A whole access token of RFC 9068 that was issued at `now` and lives for ten minutes, for `user-1` and the client
    /// `app`, with the scopes `read` and `write`.
    pub fn access(issuer: &str, audience: &str, now: i64) -> Self {
        Self::default()
            .header("typ", json!("at+jwt"))
            .claim("iss", json!(issuer))
            .claim("aud", json!(audience))
            .claim("sub", json!("user-1"))
            .claim("client_id", json!("app"))
            .claim("jti", json!("token-1"))
            .claim("iat", json!(now))
            .claim("exp", json!(now + 600))
            .claim("scope", json!("read write"))
    }

    /// Sets a header member. `alg` and `kid` come from the key unless they are set here.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    /// Leaves a header member out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// The claims as JSON.
    pub fn payload(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The token, signed with `key` and naming it.
    pub fn signed_by(&self, key: &SigningKey) -> String {
        let named = if self.header.contains_key("kid") {
            self.clone()
        } else {
            self.clone().header("kid", json!(key.id))
        };
        named.signed_without_kid_by(key)
    }

    /// The token, signed with `key` without naming it, unless `kid` was set.
    pub fn signed_without_kid_by(&self, key: &SigningKey) -> String {
        let mut header = self.header.clone();
        header
            .entry("alg")
            .or_insert_with(|| json!(key.algorithm.name()));
        compact(Value::Object(header).to_string(), self.payload(), key)
    }

    /// Header and payload as they stand, with a signature of any bytes.
    pub fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        let header = Value::Object(self.header.clone()).to_string();
        format!(
            "{}.{}.{}",
            encode(header),
            encode(self.payload()),
            encode(signature)
        )
    }

    /// What a signature over header and payload as they stand must cover.
    pub fn signing_input(&self) -> String {
        let header = Value::Object(self.header.clone()).to_string();
        format!("{}.{}", encode(header), encode(self.payload()))
    }
}
