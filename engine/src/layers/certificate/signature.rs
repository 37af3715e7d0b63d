//! Signatures on certificates and revocation lists (RFC 5280 sections 4.1.1.2 and 5.1.1.2). SHA-1 and smaller keys than the
//! gateway takes are not among the algorithms.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::{
    der_parser::asn1_rs::{BitString, oid},
    signature_algorithm::RsaSsaPssParams,
    x509::{AlgorithmIdentifier, SubjectPublicKeyInfo},
};

/// Bytes with the signature over them.
pub(super) struct Signed {
    message: Vec<u8>,
    algorithm: Option<Scheme>,
    signature: Vec<u8>,
}

/// What an identifier of a signature algorithm stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash),
    Ecdsa(Hash),
    Ed25519,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The public key of an authority.
#[derive(Clone, Debug)]
pub(super) struct PublicKey {
    kind: KeyKind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Signed {
    /// `message` as signed by the algorithm that stands beside the signature, which must be the one inside the message too.
    pub(super) fn new(
        message: &[u8],
        inside: &AlgorithmIdentifier<'_>,
        beside: &AlgorithmIdentifier<'_>,
        signature: &BitString<'_>,
    ) -> Self {
        Self {
            message: message.to_vec(),
            algorithm: (inside == beside).then(|| scheme(beside)).flatten(),
            signature: signature.data.to_vec(),
        }
    }
}

impl PublicKey {
    /// Reads the key; `None` for a kind that is not supported.
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        let kind = &info.algorithm.algorithm;
        let curve = || info.algorithm.parameters.as_ref()?.as_oid().ok();
        let kind = if *kind == oid!(1.2.840.113549.1.1.1) {
            KeyKind::Rsa
        } else if *kind == oid!(1.3.101.112) {
            KeyKind::Ed25519
        } else if *kind == oid!(1.2.840.10045.2.1) {
            let curve = curve()?;
            if curve == oid!(1.2.840.10045.3.1.7) {
                KeyKind::P256
            } else if curve == oid!(1.3.132.0.34) {
                KeyKind::P384
            } else if curve == oid!(1.3.132.0.35) {
                KeyKind::P521
            } else {
                return None;
            }
        } else {
            return None;
        };
        let bytes = info.subject_public_key.data.to_vec();
        Some(Self { kind, bytes })
    }

    /// Whether this key made the signature.
    pub(super) fn verifies(&self, signed: &Signed) -> bool {
        let Some(algorithm) = signed.algorithm.and_then(|scheme| self.algorithm(scheme)) else {
            return false;
        };
        UnparsedPublicKey::new(algorithm, &self.bytes)
            .verify(&signed.message, &signed.signature)
            .is_ok()
    }

    fn algorithm(&self, scheme: Scheme) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (self.kind, scheme) {
            (KeyKind::Rsa, Scheme::RsaPkcs1(hash)) => match hash {
                Hash::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Hash::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Hash::Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            },
            (KeyKind::Rsa, Scheme::RsaPss(hash)) => match hash {
                Hash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
                Hash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
                Hash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
            },
            (KeyKind::P256, Scheme::Ecdsa(hash)) => match hash {
                Hash::Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
                Hash::Sha384 => &signature::ECDSA_P256_SHA384_ASN1,
                Hash::Sha512 => &signature::ECDSA_P256_SHA512_ASN1,
            },
            (KeyKind::P384, Scheme::Ecdsa(hash)) => match hash {
                Hash::Sha256 => &signature::ECDSA_P384_SHA256_ASN1,
                Hash::Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
                Hash::Sha512 => &signature::ECDSA_P384_SHA512_ASN1,
            },
            (KeyKind::P521, Scheme::Ecdsa(hash)) => match hash {
                Hash::Sha256 => &signature::ECDSA_P521_SHA256_ASN1,
                Hash::Sha384 => &signature::ECDSA_P521_SHA384_ASN1,
                Hash::Sha512 => &signature::ECDSA_P521_SHA512_ASN1,
            },
            (KeyKind::Ed25519, Scheme::Ed25519) => &signature::ED25519,
            _ => return None,
        })
    }
}

/// RFC 4055 section 5, RFC 5758 section 3.2, RFC 8410 section 3.
fn scheme(identifier: &AlgorithmIdentifier<'_>) -> Option<Scheme> {
    let algorithm = &identifier.algorithm;
    for (known, scheme) in [
        (oid!(1.2.840.113549.1.1.11), Scheme::RsaPkcs1(Hash::Sha256)),
        (oid!(1.2.840.113549.1.1.12), Scheme::RsaPkcs1(Hash::Sha384)),
        (oid!(1.2.840.113549.1.1.13), Scheme::RsaPkcs1(Hash::Sha512)),
        (oid!(1.2.840.10045.4.3.2), Scheme::Ecdsa(Hash::Sha256)),
        (oid!(1.2.840.10045.4.3.3), Scheme::Ecdsa(Hash::Sha384)),
        (oid!(1.2.840.10045.4.3.4), Scheme::Ecdsa(Hash::Sha512)),
        (oid!(1.3.101.112), Scheme::Ed25519),
    ] {
        if *algorithm == known {
            return Some(scheme);
        }
    }
    if *algorithm != oid!(1.2.840.113549.1.1.10) {
        return None;
    }
    let parameters = RsaSsaPssParams::try_from(identifier.parameters.as_ref()?).ok()?;
    let hash = parameters.hash_algorithm_oid();
    if *hash == oid!(2.16.840.1.101.3.4.2.1) {
        Some(Scheme::RsaPss(Hash::Sha256))
    } else if *hash == oid!(2.16.840.1.101.3.4.2.2) {
        Some(Scheme::RsaPss(Hash::Sha384))
    } else if *hash == oid!(2.16.840.1.101.3.4.2.3) {
        Some(Scheme::RsaPss(Hash::Sha512))
    } else {
        None
    }
}
