//! Certificates and private keys that others read when a connection is made, looked at when the configuration is read, so
//! that what is wrong with them has a place. Files of authorities often hold words between their blocks (RFC 7468 section 2).

use aws_lc_rs::{
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

use super::{ConfigEnv, Faults, Problem, values::shown};

const NONE: &str = "holds no certificate as PEM";

/// The authorities in `file`, a setting at `path`: at least one certificate as PEM.
pub(crate) fn authorities(
    file: &str,
    path: &str,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Option<String> {
    match (env.read_file)(file) {
        Err(reason) => {
            let (file, reason) = (shown(file), shown(&reason));
            faults.problem(path, Problem::FileUnread { file, reason });
            None
        }
        Ok(text) => {
            if let Err(why) = certificates(&text) {
                faults.add(path, why);
            }
            Some(text)
        }
    }
}

/// Every certificate in `text`, in DER; there is at least one, and each can be read.
pub(crate) fn certificates(text: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    let found = blocks(text, |label| label == "CERTIFICATE")?;
    if found.is_empty() {
        return Err(NONE);
    }
    if found.iter().any(|der| public_key(der).is_none()) {
        return Err("holds a block that is not a certificate");
    }
    Ok(found)
}

/// Whether the private key in `key` belongs to the first certificate of `certificates`. The error holds nothing of the key.
pub(crate) fn belong_together(certificates: &[Vec<u8>], key: &str) -> Result<(), &'static str> {
    let labels = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];
    let found = blocks(key, |label| labels.contains(&label));
    let Ok([der]) = found.as_deref() else {
        return Err("the secret is not one private key as PEM");
    };
    let of_key = public_half(der).ok_or(
        "the private key is of a kind that is not supported; RSA, P-256, P-384, P-521 and Ed25519 are",
    )?;
    let of_certificate = certificates.first().and_then(|der| public_key(der));
    if of_certificate.is_none_or(|key| key != of_key) {
        return Err("the private key is not that of the first certificate in `certificate_file`");
    }
    Ok(())
}

/// The blocks with a label that fits, decoded.
fn blocks(text: &str, fits: impl Fn(&str) -> bool) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut found = Vec::new();
    for block in text.split("-----BEGIN ").skip(1) {
        let (label, rest) = block.split_once("-----").unwrap_or_default();
        if !fits(label) {
            continue;
        }
        let (body, _) = rest
            .split_once(&format!("-----END {label}-----"))
            .ok_or("holds a block of PEM without an end")?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body);
        found.push(der.map_err(|_| "holds a block of PEM that is not base64 between its lines")?);
    }
    Ok(found)
}

/// The key in a certificate: the bits that `subjectPublicKey` holds (RFC 5280 section 4.1.2.7).
fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => {
            let info = certificate.tbs_certificate.subject_pki;
            Some(info.subject_public_key.data.to_vec())
        }
        _ => None,
    }
}

/// The same of a private key in PKCS#8, or as RFC 5915 or RFC 8017 write it.
fn public_half(der: &[u8]) -> Option<Vec<u8>> {
    if let Ok(pair) = rsa::KeyPair::from_pkcs8(der).or_else(|_| rsa::KeyPair::from_der(der)) {
        return Some(pair.public_key().as_ref().to_vec());
    }
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        return Some(pair.public_key().as_ref().to_vec());
    }
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let pair = curves.into_iter().find_map(|curve| {
        let pkcs8 = EcdsaKeyPair::from_pkcs8(curve, der);
        pkcs8
            .or_else(|_| EcdsaKeyPair::from_private_key_der(curve, der))
            .ok()
    })?;
    Some(pair.public_key().as_ref().to_vec())
}
