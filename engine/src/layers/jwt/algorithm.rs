//! The signature algorithms that an issuer can be configured with (RFC 7518 section 3.1, RFC 8037, RFC 9864).

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, EdDSAParameters, ParsedPublicKey, RsaParameters,
    RsaPublicKeyComponents,
};

/// One algorithm. There is no `none`, and nothing symmetric: what cannot be said cannot be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// `EdDSA` on Ed25519; also spelled `Ed25519` (RFC 9864 section 2.2).
    Ed25519,
}

/// What kind of key an algorithm needs, with the parameters of the crypto library.
pub(in crate::layers) enum Needs {
    Rsa(&'static RsaParameters),
    Ec(Curve, &'static EcdsaVerificationAlgorithm),
    Ed25519(&'static EdDSAParameters),
}

/// The elliptic curves of RFC 7518 section 6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::layers) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// Reads `crv`.
    pub(in crate::layers) fn named(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            _ => None,
        }
    }

    /// The length of one coordinate in bytes (RFC 7518 section 6.2.1.2).
    pub(in crate::layers) const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl Algorithm {
    /// Every algorithm there is.
    pub const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ed25519,
    ];

    /// Reads `alg`, case-sensitively. `EdDSA` and `Ed25519` are two names for one thing here: Ed448 is not offered.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Ed25519" => Some(Self::Ed25519),
            _ => Self::ALL.into_iter().find(|one| one.name() == name),
        }
    }

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ed25519 => "EdDSA",
        }
    }

    /// Whether what is signed is the SHA-256 of the text, and not the text or another digest of it.
    pub(super) const fn begins_with_sha256(self) -> bool {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => true,
            Self::Rs384
            | Self::Rs512
            | Self::Ps384
            | Self::Ps512
            | Self::Es384
            | Self::Es512
            | Self::Ed25519 => false,
        }
    }

    pub(in crate::layers) const fn needs(self) -> Needs {
        match self {
            Self::Rs256 => Needs::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Needs::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Needs::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            // The salt is as long as the hash (RFC 7518 section 3.5); the library checks it.
            Self::Ps256 => Needs::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Needs::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Needs::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
            // The fixed form is r and s of full length, one after the other (RFC 7518 section 3.4); never ASN.1.
            Self::Es256 => Needs::Ec(Curve::P256, &signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Needs::Ec(Curve::P384, &signature::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => Needs::Ec(Curve::P521, &signature::ECDSA_P521_SHA512_FIXED),
            Self::Ed25519 => Needs::Ed25519(&signature::ED25519),
        }
    }

    /// The key for this algorithm, parsed once; `None` when the key is of another kind or the library refuses it (a
    /// point off the curve, a modulus or exponent it cannot use).
    pub(in crate::layers) fn parse(self, material: &Material) -> Option<ParsedPublicKey> {
        match (self.needs(), material) {
            (Needs::Rsa(parameters), Material::Rsa { modulus, exponent }) => {
                let components = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                components.to_parsed_public_key(parameters).ok()
            }
            (
                Needs::Ec(curve, parameters),
                Material::Ec {
                    curve: of_key,
                    point,
                },
            ) if curve == *of_key => ParsedPublicKey::new(parameters, point).ok(),
            (Needs::Ed25519(parameters), Material::Ed25519(public)) => {
                ParsedPublicKey::new(parameters, public).ok()
            }
            _ => None,
        }
    }
}

/// The public numbers of a key, checked for size and form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::layers) enum Material {
    /// Without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// The uncompressed point (SEC 1 section 2.3.3).
    Ec { curve: Curve, point: Vec<u8> },
    /// The 32 bytes of RFC 8032 section 5.1.5.
    Ed25519(Vec<u8>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_with_regard_to_case() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
            assert_eq!(
                Algorithm::named(&algorithm.name().to_ascii_lowercase()),
                None
            );
        }
        assert_eq!(Algorithm::named("Ed25519"), Some(Algorithm::Ed25519));
    }

    #[test]
    fn knows_no_algorithm_without_a_public_key() {
        for name in [
            "none", "None", "", "HS256", "HS384", "HS512", "Ed448", "ES256K", "RSA-OAEP",
        ] {
            assert_eq!(Algorithm::named(name), None, "{name}");
        }
    }

    /// Signatures that the standards publish over payloads that are no claims, so they are checked here and not as
    /// tokens.
    #[test]
    fn verifies_the_signatures_that_the_standards_publish() {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

        use crate::layers::jwt::{
            json::Object,
            jwk::Key,
            test_support::{ED25519, P521},
        };

        for (algorithm, jwk, token) in [
            // RFC 8037 appendix A.4.
            (
                Algorithm::Ed25519,
                ED25519,
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
            // RFC 7515 appendix A.4.
            (
                Algorithm::Es512,
                P521,
                "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
            ),
        ] {
            let entry = format!("{{{jwk}}}");
            let entry = Object::document(entry.as_bytes()).unwrap();
            let key = Key::parse(&entry, &[algorithm]).unwrap();
            let (input, signature) = token.rsplit_once('.').unwrap();
            let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let verifier = key.verifier(algorithm).unwrap();
            assert!(verifier.verify_sig(input.as_bytes(), &signature).is_ok());
            signature[0] ^= 1;
            assert!(verifier.verify_sig(input.as_bytes(), &signature).is_err());
        }
    }
}
