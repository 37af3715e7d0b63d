//! Checking the signature of a token with nothing but the crypto library: the floor of every first sight of a token.

use anyhow::{Context as _, anyhow, ensure};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    VerificationAlgorithm,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_engine::layers::jwt::Algorithm;

use crate::credentials::Signed;

/// Its name in results.
pub fn name(algorithm: Algorithm) -> String {
    format!("{}, the bare signature", algorithm.name())
}

/// A parsed key, and what it signed.
pub struct Bare {
    key: ParsedPublicKey,
    /// What is signed, and the signature.
    signed: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Bare {
    /// Of these tokens.
    ///
    /// # Errors
    /// When they are none, or the library refuses the key.
    pub fn of(algorithm: Algorithm, signed: &Signed) -> anyhow::Result<Self> {
        let parameters: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::Ed25519 => &ED25519,
            other => return Err(anyhow!("{} is not measured", other.name())),
        };
        let key = ParsedPublicKey::new(parameters, &signed.public);
        let parts = signed.tokens.iter().map(|token| {
            let (text, signature) = token.rsplit_once('.').context("no token")?;
            Ok((text.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(signature)?))
        });
        Ok(Self {
            key: key.map_err(|_| anyhow!("the library refuses the key"))?,
            signed: parts.collect::<anyhow::Result<_>>()?,
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.signed.len()
    }

    /// What is signed and its signature, of token `number`, counted round.
    ///
    /// # Errors
    /// When there are no tokens.
    pub fn signed(&self, number: usize) -> anyhow::Result<&(Vec<u8>, Vec<u8>)> {
        let index = number.checked_rem(self.signed.len());
        let pair = index.and_then(|index| self.signed.get(index));
        pair.context("nothing is signed")
    }

    /// Checks the signature of token `number`, counted round.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn check(&self, number: usize) -> anyhow::Result<()> {
        self.verify(self.signed(number)?)
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn verify(&self, (text, signature): &(Vec<u8>, Vec<u8>)) -> anyhow::Result<()> {
        let verified = self.key.verify_sig(text, signature);
        ensure!(verified.is_ok(), "a signature of ours does not hold");
        Ok(())
    }
}
