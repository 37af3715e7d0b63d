//! The key pairs of the demo issuer: made once, kept in a file of the owner, and what is public of them.

use std::{fmt, fs, io, path::Path};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorward_keys::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TokenRequest, der};

/// How a token is signed (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// The key pairs of the demo issuer.
pub struct DemoKeys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

impl fmt::Debug for DemoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[demo keys]")
    }
}

/// Why there are no keys, or no token.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("the demo issuer's keys cannot be kept in `{0}`: {1}")]
    File(String, io::Error),
    /// The file holds something else.
    #[error(
        "`{0}` does not hold the demo issuer's keys; remove it and start `doorward local` again"
    )]
    Content(String),
    /// The crypto library refused.
    #[error("the demo issuer's keys cannot be used: the crypto library refused")]
    Crypto,
}

/// The file: PKCS #8 of both keys, in base64.
#[derive(Serialize, Deserialize)]
struct Stored {
    rs256: String,
    es256: String,
}

impl DemoKeys {
    /// The keys in the file at `path`, made and kept there if there is no such file. Only the owner may read the file.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeysError> {
        let name = || path.display().to_string();
        match fs::read(path) {
            Ok(text) => Self::read(&text).ok_or_else(|| KeysError::Content(name())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let keys = Self::generate()?;
                let text = keys.stored()?;
                crate::state::write_private(path, text.expose().as_bytes())
                    .map_err(|error| KeysError::File(name(), error))?;
                Ok(keys)
            }
            Err(error) => Err(KeysError::File(name(), error)),
        }
    }

    /// The keys in the file at `path`; `None` when there is no such file.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn load(path: &Path) -> Result<Option<Self>, KeysError> {
        let name = || path.display().to_string();
        match fs::read(path) {
            Ok(text) => Self::read(&text)
                .map(Some)
                .ok_or_else(|| KeysError::Content(name())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeysError::File(name(), error)),
        }
    }

    /// Fresh keys.
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn generate() -> Result<Self, KeysError> {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeysError::Crypto)?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeysError::Crypto)?;
        Ok(Self { rsa, ec })
    }

    /// A fresh private key on P-256, in the base64 of PKCS #8, for whoever signs something else.
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn signing_key() -> Result<Secret<String>, KeysError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let stored = pair.and_then(|pair| pair.to_pkcs8v1());
        let stored = stored.map_err(|_| KeysError::Crypto)?;
        Ok(Secret::new(STANDARD.encode(stored.as_ref())))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(text).ok()?;
        let (rsa, ec) = (
            STANDARD.decode(stored.rs256).ok()?,
            STANDARD.decode(stored.es256).ok()?,
        );
        Some(Self {
            rsa: RsaKeyPair::from_pkcs8(&rsa).ok()?,
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &ec).ok()?,
        })
    }

    fn stored(&self) -> Result<Secret<String>, KeysError> {
        let rsa: Pkcs8V1Der<'_> = self.rsa.as_der().map_err(|_| KeysError::Crypto)?;
        let ec = self.ec.to_pkcs8v1().map_err(|_| KeysError::Crypto)?;
        let stored = Stored {
            rs256: STANDARD.encode(rsa.as_ref()),
            es256: STANDARD.encode(ec.as_ref()),
        };
        serde_json::to_string(&stored)
            .map(Secret::new)
            .map_err(|_| KeysError::Crypto)
    }

    /// The key set that the issuer publishes (RFC 7517 section 5).
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn key_set(&self) -> Result<Value, KeysError> {
        let rsa = der::rsa_parts(self.rsa.public_key().as_ref()).ok_or(KeysError::Crypto)?;
        let point = self.ec.public_key().as_ref();
        // An uncompressed point: 4, x, y (SEC 1 section 2.3.3).
        let (x, y) = point
            .get(1..33)
            .zip(point.get(33..65))
            .ok_or(KeysError::Crypto)?;
        Ok(json!({"keys": [
            {
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id(Algorithm::Rs256),
                "n": URL_SAFE_NO_PAD.encode(rsa.0), "e": URL_SAFE_NO_PAD.encode(rsa.1),
            },
            {
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id(Algorithm::Es256),
                "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            },
        ]}))
    }

    /// The token for `request`.
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn mint(&self, request: &TokenRequest) -> Result<Secret<String>, KeysError> {
        let mut id = [0; 12];
        getrandom::fill(&mut id).map_err(|_| KeysError::Crypto)?;
        let header = json!({
            "alg": request.algorithm.as_str(),
            "typ": request.token_type,
            "kid": self.key_id(request.algorithm),
        });
        let claims = request.claims(&URL_SAFE_NO_PAD.encode(id));
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.sign(request.algorithm, signed.as_bytes())?;
        Ok(Secret::new(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }

    fn sign(&self, algorithm: Algorithm, text: &[u8]) -> Result<Vec<u8>, KeysError> {
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .map_err(|_| KeysError::Crypto)?;
                Ok(signature)
            }
            Algorithm::Es256 => {
                let signature = self.ec.sign(&random, text).map_err(|_| KeysError::Crypto)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }

    /// A name that changes with the key, so that a new key file is never taken for the old one.
    fn key_id(&self, algorithm: Algorithm) -> String {
        let public = match algorithm {
            Algorithm::Rs256 => self.rsa.public_key().as_ref(),
            Algorithm::Es256 => self.ec.public_key().as_ref(),
        };
        let digest = digest(&SHA256, public);
        let short: Vec<u8> = digest.as_ref().iter().take(6).copied().collect();
        format!("demo-{}", URL_SAFE_NO_PAD.encode(short))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    };
    use doorward_keys::Timestamp;

    use super::*;

    fn request(algorithm: Algorithm) -> TokenRequest {
        TokenRequest {
            issuer: "http://127.0.0.1:1".to_owned(),
            subject: "alice".to_owned(),
            client_id: "demo".to_owned(),
            audiences: vec!["api".to_owned()],
            scopes: vec!["read".to_owned(), "write".to_owned()],
            roles: vec![],
            claims: serde_json::Map::new(),
            token_type: "at+jwt".to_owned(),
            issued_at: Timestamp::from_unix(100),
            lifetime: 50,
            algorithm,
        }
    }

    fn decoded(value: &Value) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
    }

    #[test]
    fn what_it_signs_verifies_with_what_it_publishes() {
        let keys = DemoKeys::generate().unwrap();
        let set = keys.key_set().unwrap();
        for (algorithm, at) in [(Algorithm::Rs256, 0), (Algorithm::Es256, 1)] {
            let token = keys.mint(&request(algorithm)).unwrap();
            let (signed, signature) = token.expose().rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let key = &set["keys"][at];
            let header: Value =
                serde_json::from_slice(&decoded(&json!(signed.split_once('.').unwrap().0)))
                    .unwrap();
            assert_eq!((&header["kid"], &header["alg"]), (&key["kid"], &key["alg"]));
            let verified = if at == 0 {
                let (n, e) = (decoded(&key["n"]), decoded(&key["e"]));
                RsaPublicKeyComponents { n, e }.verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    signed.as_bytes(),
                    &signature,
                )
            } else {
                let point = [vec![4], decoded(&key["x"]), decoded(&key["y"])].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed.as_bytes(), &signature)
            };
            assert!(verified.is_ok(), "{algorithm:?}");
        }
    }

    #[test]
    fn keys_outlive_a_restart_and_are_the_owners_alone() {
        let dir = crate::state::tests::temporary("issuer");
        let path = dir.join("demo-issuer.json");
        let first = DemoKeys::load_or_create(&path).unwrap();
        let second = DemoKeys::load_or_create(&path).unwrap();
        assert_eq!(first.key_set().unwrap(), second.key_set().unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        fs::write(&path, "{}").unwrap();
        assert!(matches!(DemoKeys::load(&path), Err(KeysError::Content(_))));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn prints_nothing_of_itself() {
        assert_eq!(
            format!("{:?}", DemoKeys::generate().unwrap()),
            "[demo keys]"
        );
    }
}
