//! Private keys that sign client assertions (RFC 7523 section 2.2).

use std::fmt;

use aws_lc_rs::{
    error::Unspecified,
    rand::SecureRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::layers::jwt::Algorithm;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A private key and the one algorithm it signs with.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a key in PKCS#8 (RFC 5958), as PEM (RFC 7468 section 10). The error holds nothing of the text.
    pub fn parse(pem: &str, algorithm: Algorithm) -> Result<Self, &'static str> {
        let body = pem
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(END))
            .ok_or("the secret is not a private key in PKCS#8; `openssl pkcs8 -topk8 -nocrypt` makes one")?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD
            .decode(body)
            .map_err(|_| "the private key is not base64 between its lines")?;
        let unfit = "the private key does not fit `algorithm`";
        let rsa = |encoding| {
            let pair = RsaKeyPair::from_pkcs8(&der).map_err(|_| unfit)?;
            Ok::<_, &'static str>(Pair::Rsa(pair, encoding))
        };
        let ec = |parameters: &'static EcdsaSigningAlgorithm| {
            let pair = EcdsaKeyPair::from_pkcs8(parameters, &der).map_err(|_| unfit)?;
            Ok::<_, &'static str>(Pair::Ec(pair))
        };
        let pair = match algorithm {
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512),
            Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8(&der)
                .map(Pair::Ed25519)
                .map_err(|_| unfit),
        };
        Ok(Self {
            algorithm,
            pair: pair?,
        })
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The signature of `message` in the form of RFC 7518 section 3.
    ///
    /// # Errors
    /// When the library cannot sign.
    pub fn sign(&self, random: &dyn SecureRandom, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::Ec(pair) => Ok(pair.sign(random, message)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} key]", self.algorithm.name())
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{encoding::AsDer, rand::SystemRandom, rsa::KeySize, signature::KeyPair as _};

    use super::*;

    fn pem(der: &[u8]) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
    }

    #[test]
    fn signs_what_the_public_key_verifies() {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let key = SigningKey::parse(&pem(der.as_ref()), Algorithm::Es256).unwrap();
        let signed = key.sign(&SystemRandom::new(), b"message").unwrap();
        let public = signature::UnparsedPublicKey::new(
            &signature::ECDSA_P256_SHA256_FIXED,
            pair.public_key().as_ref(),
        );
        public.verify(b"message", &signed).unwrap();

        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let key = SigningKey::parse(&pem(der.as_ref()), Algorithm::Ps256).unwrap();
        let signed = key.sign(&SystemRandom::new(), b"message").unwrap();
        let public = signature::UnparsedPublicKey::new(
            &signature::RSA_PSS_2048_8192_SHA256,
            pair.public_key().as_ref(),
        );
        public.verify(b"message", &signed).unwrap();

        let pair = Ed25519KeyPair::generate().unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        let key = SigningKey::parse(&pem(der.as_ref()), Algorithm::Ed25519).unwrap();
        let signed = key.sign(&SystemRandom::new(), b"message").unwrap();
        let public =
            signature::UnparsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref());
        public.verify(b"message", &signed).unwrap();
    }

    #[test]
    fn refuses_what_is_no_key_or_a_key_for_something_else() {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let good = pem(pair.to_pkcs8v1().unwrap().as_ref());
        for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::Ed25519] {
            let why = SigningKey::parse(&good, algorithm).unwrap_err();
            assert!(why.contains("does not fit"), "{why}");
        }
        for text in [
            "",
            "hunter2",
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            assert!(SigningKey::parse(text, Algorithm::Es256).is_err(), "{text}");
        }
        let key = SigningKey::parse(&good, Algorithm::Es256).unwrap();
        assert_eq!(format!("{key:?}"), "[ES256 key]");
    }
}
