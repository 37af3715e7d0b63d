//! Signatures of requests, verified by signing again (AWS IAM User Guide, *AWS Signature Version 4 for API requests*).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use axum::http::{HeaderMap, Uri, header::AUTHORIZATION};
use doorward_keys::Timestamp;
use time::{PrimitiveDateTime, macros::format_description};

use super::{AdminCredentials, target};

/// The service in the scope of a signature.
const SERVICE: &str = "execute-api";
/// How far the time of a signature may be from ours, in seconds.
const MAX_SKEW: i64 = 300;

/// Why a request is not let in. The words are those of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// There is no signature, or no such route: AWS says the same of both.
    Missing,
    /// The header is not of the form.
    Incomplete(&'static str),
    /// Somebody else's credentials.
    UnknownKey,
    /// It was signed at another time, as stated.
    Expired(String),
    /// Another region or service.
    Scope,
    /// The signature is another.
    Wrong,
}

impl Unsigned {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Missing => "Missing Authentication Token".to_owned(),
            Self::Incomplete(part) => format!("Authorization header requires '{part}' parameter."),
            Self::UnknownKey => "The security token included in the request is invalid.".to_owned(),
            Self::Expired(at) => format!("Signature expired: {at} is too far from the time of the gateway"),
            Self::Scope => format!("Credential should be scoped to correct service: '{SERVICE}'."),
            Self::Wrong => "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                            Access Key and signing method. Consult the service documentation for details."
                .to_owned(),
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete(_) => "IncompleteSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Expired(_) | Self::Scope | Self::Wrong => "InvalidSignatureException",
        }
    }
}

/// What stands in the Authorization header.
struct Presented<'h> {
    access_key_id: &'h str,
    date: &'h str,
    region: &'h str,
    service: &'h str,
    signed_headers: &'h str,
    signature: &'h str,
}

impl<'h> Presented<'h> {
    fn read(header: &'h str) -> Result<Self, Unsigned> {
        let parameters = header.strip_prefix("AWS4-HMAC-SHA256 ").unwrap_or_default();
        let parameter = |name: &'static str| {
            let mut all = parameters
                .split(',')
                .filter_map(|pair| pair.trim().split_once('='));
            let found = all.find(|(found, _)| *found == name);
            found
                .map(|(_, value)| value)
                .ok_or(Unsigned::Incomplete(name))
        };
        let credential = parameter("Credential")?;
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = parts.as_slice() else {
            return Err(Unsigned::Incomplete("Credential"));
        };
        Ok(Self {
            access_key_id,
            date,
            region,
            service,
            signed_headers: parameter("SignedHeaders")?,
            signature: parameter("Signature")?,
        })
    }
}

/// Whether the request was signed with `credentials` about `now`.
pub(super) fn verify(
    credentials: &AdminCredentials,
    method: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Unsigned> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let header = text(AUTHORIZATION.as_str()).ok_or(Unsigned::Missing)?;
    let presented = Presented::read(header)?;
    let stamp = text("x-amz-date").ok_or(Unsigned::Incomplete("X-Amz-Date"))?;
    if presented.access_key_id != credentials.access_key_id {
        return Err(Unsigned::UnknownKey);
    }
    if presented.service != SERVICE {
        return Err(Unsigned::Scope);
    }
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let at =
        PrimitiveDateTime::parse(stamp, format).map_err(|_| Unsigned::Incomplete("X-Amz-Date"))?;
    let at = at.assume_utc().unix_timestamp();
    if !stamp.starts_with(presented.date) || at.abs_diff(now.unix()) > MAX_SKEW.unsigned_abs() {
        return Err(Unsigned::Expired(stamp.to_owned()));
    }
    let signed: Vec<&str> = presented.signed_headers.split(';').collect();
    if !signed.contains(&"host") {
        return Err(Unsigned::Wrong);
    }
    let pairs = signed.iter().filter(|name| **name != "x-amz-date");
    let pairs = pairs.map(|name| text(name).map(|value| (*name, value)));
    // A header that was signed and did not arrive.
    let pairs = pairs.collect::<Option<Vec<_>>>().ok_or(Unsigned::Wrong)?;
    let host = text("host").ok_or(Unsigned::Wrong)?;
    let url = format!("http://{host}{}", target(uri));
    let body = match text("x-amz-content-sha256") {
        Some("UNSIGNED-PAYLOAD") => SignableBody::UnsignedPayload,
        _ => SignableBody::Bytes(body),
    };
    let request =
        SignableRequest::new(method, url, pairs.into_iter(), body).map_err(|_| Unsigned::Wrong)?;
    let expected = signature(credentials, presented.region, at, request).ok_or(Unsigned::Wrong)?;
    if expected == presented.signature {
        Ok(())
    } else {
        Err(Unsigned::Wrong)
    }
}

fn signature(
    credentials: &AdminCredentials,
    region: &str,
    at: i64,
    request: SignableRequest<'_>,
) -> Option<String> {
    let secret = credentials.secret_access_key.expose().clone();
    let identity = Credentials::new(
        &credentials.access_key_id,
        secret,
        None,
        None,
        "doorward local",
    )
    .into();
    let mut settings = SigningSettings::default();
    // Whatever the client signed is signed again.
    settings.excluded_headers = None;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(time_of(at))
        .settings(settings)
        .build()
        .ok()?
        .into();
    let (_, signature) = sign(request, &params).ok()?.into_parts();
    Some(signature)
}

fn time_of(at: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(at).unwrap_or_default())
}

#[cfg(test)]
mod tests;
