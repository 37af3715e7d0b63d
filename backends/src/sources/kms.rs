//! Signatures of keys that never leave AWS Key Management Service.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_engine::identity_token::RemoteSigner;
use serde_json::{Value, json};

use super::{
    aws::{AwsAccess, Service},
    services::json_call,
};

/// The length of a coordinate on P-256.
const COORDINATE: usize = 32;

/// Signs with keys of KMS.
#[derive(Clone, Debug)]
pub struct KmsSigner(Arc<AwsAccess>);

impl KmsSigner {
    /// Signs as whom `aws` is.
    pub const fn new(aws: Arc<AwsAccess>) -> Self {
        Self(aws)
    }
}

#[async_trait]
impl RemoteSigner for KmsSigner {
    /// AWS: Key Management Service API Reference, `Sign`.
    async fn sign(&self, key: &str, digest: &[u8]) -> Result<Vec<u8>, String> {
        let body = json!({
            "KeyId": key,
            "Message": STANDARD.encode(digest),
            "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        });
        let answer = json_call(&self.0, Service::Kms, "TrentService.Sign", &body).await?;
        let signature = answer.get("Signature").and_then(Value::as_str);
        let der = signature.and_then(|text| STANDARD.decode(text).ok());
        der.and_then(|der| fixed(&der))
            .ok_or_else(|| "the answer of KMS holds no ECDSA signature".to_owned())
    }
}

/// The public part of a key for signing, as the base64 of a `SubjectPublicKeyInfo` (AWS: Key Management Service API
/// Reference, `GetPublicKey`).
pub(super) async fn public_key(aws: &AwsAccess, key: &str) -> Result<String, String> {
    let body = json!({ "KeyId": key });
    let answer = json_call(aws, Service::Kms, "TrentService.GetPublicKey", &body).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    match text("KeyUsage") {
        None | Some("SIGN_VERIFY") => {}
        Some(_) => return Err("the key of KMS is not for signing".to_owned()),
    }
    text("PublicKey")
        .map(str::to_owned)
        .ok_or_else(|| "the answer of KMS holds no public key".to_owned())
}

/// r and s of full length, one after the other (RFC 7518 section 3.4), of an `ECDSA-Sig-Value` in DER (RFC 3279 section
/// 2.2.3).
fn fixed(der: &[u8]) -> Option<Vec<u8>> {
    let (sequence, rest) = element(der, 0x30)?;
    let (r, sequence) = element(sequence, 0x02)?;
    let (s, sequence) = element(sequence, 0x02)?;
    if !rest.is_empty() || !sequence.is_empty() {
        return None;
    }
    Some([coordinate(r)?, coordinate(s)?].concat())
}

/// The value of the element with `tag` at the front, and what follows it. Signatures on P-256 need short lengths only.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let is_fit = *found == tag && *length < 0x80;
    rest.split_at_checked(usize::from(*length))
        .filter(|_| is_fit)
}

fn coordinate(integer: &[u8]) -> Option<[u8; COORDINATE]> {
    let number = integer.strip_prefix(&[0]).unwrap_or(integer);
    let zeros = COORDINATE.checked_sub(number.len())?;
    let mut full = [0; COORDINATE];
    full.get_mut(zeros..)?.copy_from_slice(number);
    Some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_become_as_long_as_tokens_want_them() {
        let mut full = vec![0; 64];
        (full[31], full[32]) = (1, 0x80);
        let mut der = vec![0x30, 0x26, 0x02, 0x01, 0x01, 0x02, 0x21, 0x00, 0x80];
        der.extend([0; 31]);
        assert_eq!(fixed(&der), Some(full));
    }

    #[test]
    fn refuses_what_is_no_signature_on_p256() {
        let mut long = vec![0x30, 0x26, 0x02, 0x01, 0x01, 0x02, 0x21, 0x01];
        long.extend([0; 32]);
        for bad in [
            &[][..],
            &[0x30, 0x80],
            &[0x30, 0x03, 0x02, 0x01, 0x01],
            &[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00],
            &[0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],
            &long,
        ] {
            assert_eq!(fixed(bad), None, "{bad:?}");
        }
    }
}
