//! The client of the demonstration that proves possession of a key (RFC 9449), and what binds a token to it.

use std::{fmt, fs, io, path::Path};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorward_keys::Timestamp;
use serde_json::{Value, json};

use super::KeysError;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The key of a client.
pub struct DpopKey(EcdsaKeyPair);

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[DPoP key]")
    }
}

/// What a proof is to say (RFC 9449 section 4.2).
#[derive(Clone)]
pub struct ProofRequest<'a> {
    /// `htm`.
    pub method: &'a str,
    /// The address that is called; query and fragment are left out of `htu`.
    pub url: &'a str,
    /// The token that goes with it, for `ath`.
    pub token: Option<&'a str>,
    /// `nonce`, where the server gave one.
    pub nonce: Option<&'a str>,
    /// `jti`; made up where none is given.
    pub id: Option<&'a str>,
    /// `iat`.
    pub issued_at: Timestamp,
}

/// Without the token.
impl fmt::Debug for ProofRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl DpopKey {
    /// The key in the file at `path`, made and kept there if there is no such file. Only the owner may read the file.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeysError> {
        let name = || path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::read(&text).ok_or_else(|| KeysError::Content(name())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                let stored = key.0.to_pkcs8v1().map_err(|_| KeysError::Crypto)?;
                let text = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(stored.as_ref()));
                crate::state::write_private(path, text.as_bytes())
                    .map_err(|error| KeysError::File(name(), error))?;
                Ok(key)
            }
            Err(error) => Err(KeysError::File(name(), error)),
        }
    }

    /// A fresh key.
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn generate() -> Result<Self, KeysError> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map(Self)
            .map_err(|_| KeysError::Crypto)
    }

    fn read(text: &str) -> Option<Self> {
        let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .ok()
            .map(Self)
    }

    /// The public key (RFC 7517 section 4).
    fn numbers(&self) -> Result<(String, String), KeysError> {
        let point = self.0.public_key().as_ref();
        let (x, y) = point
            .get(1..33)
            .zip(point.get(33..65))
            .ok_or(KeysError::Crypto)?;
        Ok((URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
    }

    /// `jkt`: the SHA-256 thumbprint (RFC 9449 section 6.1, RFC 7638 section 3).
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn thumbprint(&self) -> Result<String, KeysError> {
        let (x, y) = self.numbers()?;
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Ok(URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes())))
    }

    /// The proof for `request`.
    ///
    /// # Errors
    /// [`KeysError::Crypto`].
    pub fn proof(&self, request: &ProofRequest<'_>) -> Result<String, KeysError> {
        let (x, y) = self.numbers()?;
        let header = json!({
            "typ": "dpop+jwt", "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": x, "y": y},
        });
        let target = request.url.split(['?', '#']).next().unwrap_or_default();
        let id = match request.id {
            Some(id) => id.to_owned(),
            None => random_id()?,
        };
        let mut claims = json!({
            "jti": id, "htm": request.method, "htu": target, "iat": request.issued_at.unix(),
        });
        if let Value::Object(members) = &mut claims {
            if let Some(token) = request.token {
                let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()));
                members.insert("ath".to_owned(), json!(hash));
            }
            if let Some(nonce) = request.nonce {
                members.insert("nonce".to_owned(), json!(nonce));
            }
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| KeysError::Crypto)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// `x5t#S256` of a certificate in DER (RFC 8705 section 3.1).
pub fn certificate_thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, der))
}

fn random_id() -> Result<String, KeysError> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(|_| KeysError::Crypto)?;
    Ok(URL_SAFE_NO_PAD.encode(id))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn part(proof: &str, index: usize) -> Value {
        let part = proof.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_proof_says_what_the_standard_wants_and_verifies_with_the_key_in_it() {
        let key = DpopKey::generate().unwrap();
        let request = ProofRequest {
            method: "GET",
            url: "https://localhost:1/orders/42?q=1#f",
            // RFC 9449 section 4.3 check 10; the hash is the one of its example (section 7.1).
            token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            nonce: Some("n-1"),
            id: None,
            issued_at: Timestamp::from_unix(1000),
        };
        assert!(!format!("{request:?}").contains("mXK1E"));
        let proof = key.proof(&request).unwrap();
        let claims = part(&proof, 1);
        assert_eq!(
            (&claims["htm"], &claims["htu"], &claims["iat"]),
            (
                &json!("GET"),
                &json!("https://localhost:1/orders/42"),
                &json!(1000)
            )
        );
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(claims["nonce"], "n-1");
        let header = part(&proof, 0);
        assert_eq!(
            (&header["typ"], header["jwk"].get("d")),
            (&json!("dpop+jwt"), None)
        );
        let number = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(header["jwk"][name].as_str().unwrap())
                .unwrap()
        };
        let point = [vec![4], number("x"), number("y")].concat();
        let (signed, signature) = proof.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verified = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature);
        assert!(verified.is_ok());
        assert_ne!(part(&key.proof(&request).unwrap(), 1)["jti"], claims["jti"]);
        let fixed = ProofRequest {
            id: Some("again"),
            nonce: None,
            token: None,
            ..request
        };
        let claims = part(&key.proof(&fixed).unwrap(), 1);
        assert_eq!(claims["jti"], "again");
        assert_eq!((claims.get("ath"), claims.get("nonce")), (None, None));
    }

    #[test]
    fn the_key_outlives_a_restart_and_is_the_owners_alone() {
        let dir = crate::state::tests::temporary("dpop");
        let path = dir.join("demo-dpop.pem");
        let first = DpopKey::load_or_create(&path).unwrap();
        let second = DpopKey::load_or_create(&path).unwrap();
        assert_eq!(first.thumbprint().unwrap(), second.thumbprint().unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "hunter2").unwrap();
        assert!(matches!(
            DpopKey::load_or_create(&path),
            Err(KeysError::Content(_))
        ));
        assert_eq!(format!("{first:?}"), "[DPoP key]");
        fs::remove_dir_all(dir).unwrap();
    }
}
