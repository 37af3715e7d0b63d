//! Tokens and keys, made before anything is measured; as JSON they go from one process to another.

use anyhow::anyhow;
use doorward_engine::layers::jwt::Algorithm;
use doorward_keys::{KeyId, KeyRecord, KeyStatus, Timestamp, format::KeyFormat};
use doorward_tokens::{SigningKey, Token, key_set};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The time at which all scenes play.
pub const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// `iss` of all tokens.
pub const ISSUER: &str = "https://issuer.test";

/// The algorithms that tokens are signed with.
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::Ed25519];

/// What callers present.
#[derive(Deserialize, Serialize)]
pub struct Credentials {
    /// The document of the issuer.
    pub key_set: String,
    /// By algorithm, in the order of [`ALGORITHMS`].
    pub signed: Vec<Signed>,
    /// Printed keys.
    pub keys: Vec<String>,
}

/// Tokens by one key pair.
#[derive(Deserialize, Serialize)]
pub struct Signed {
    /// The public key as the crypto library prints it.
    pub public: Vec<u8>,
    /// All different.
    pub tokens: Vec<String>,
}

impl Credentials {
    /// So many tokens of each algorithm, and so many keys.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn make(tokens: usize, keys: usize) -> anyhow::Result<Self> {
        let pairs = ALGORITHMS.map(|algorithm| SigningKey::generate(algorithm, algorithm.name()));
        let signed = pairs.iter().map(|pair| Signed {
            public: pair.public_key().to_vec(),
            tokens: (0..tokens).map(|number| token(pair, number)).collect(),
        });
        let keys = (0..keys).map(printed_key).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            key_set: key_set(&pairs),
            signed: signed.collect(),
            keys,
        })
    }

    /// The tokens of one of [`ALGORITHMS`] and their public key; `None` of another.
    pub fn of(&self, algorithm: Algorithm) -> Option<&Signed> {
        let index = ALGORITHMS.iter().position(|one| *one == algorithm)?;
        self.signed.get(index)
    }
}

/// A token of caller `number`.
pub fn token(pair: &SigningKey, number: usize) -> String {
    Token::access(ISSUER, "api", NOW.unix() - 60)
        .claim("sub", json!(format!("user-{number}")))
        .claim("jti", json!(format!("{number:016x}")))
        .claim("scope", json!("orders:read profile"))
        .signed_by(pair)
}

/// What our keys look like.
pub fn format() -> KeyFormat {
    KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["live".to_owned()],
        pepper: None,
        previous_pepper: None,
    }
}

/// Key `number`. It opens nothing anywhere: its secret is its number.
///
/// # Errors
/// Never with [`format()`].
pub fn printed_key(number: usize) -> anyhow::Result<String> {
    let mut seed = [7; 32];
    for (byte, of_number) in seed.iter_mut().zip(number.to_be_bytes()) {
        *byte = of_number;
    }
    let minted = format().mint("live", seed);
    let minted = minted.map_err(|error| anyhow!("no key could be made: {error}"))?;
    Ok(minted.printed.expose().clone())
}

/// What the table holds of a printed key.
pub(crate) fn record(number: usize, printed: &str) -> anyhow::Result<KeyRecord> {
    let digest = format().parse(printed);
    let digest = digest.map_err(|error| anyhow!("a made key is none: {error}"))?;
    Ok(KeyRecord {
        digest,
        id: KeyId::new(NOW, u128::try_from(number)?),
        tenant: "acme".to_owned(),
        name: format!("key {number}"),
        environment: "live".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        routes: None,
        addresses: None,
        created_at: NOW.plus(-60),
        expires_at: Some(NOW.plus(86_400)),
        status: KeyStatus::Active,
        changed_at: NOW.plus(-60),
        rotated_from: None,
        rotated_to: None,
        rotates_at: None,
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: std::collections::BTreeMap::new(),
        version: 1,
    })
}
