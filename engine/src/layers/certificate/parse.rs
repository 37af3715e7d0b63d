//! What is read of a certificate (RFC 5280 section 4.1).

use std::fmt::{self, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use doorward_keys::Timestamp;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{DistributionPointName, GeneralName, ParsedExtension, X509Extension},
    prelude::FromDer as _,
    time::ASN1Time,
    x509::X509Name,
};

use super::{
    pem::{self, MAX_CERTIFICATE},
    signature::{PublicKey, Signed},
};
use crate::denial::{Denial, Reason};

/// A serial number, compared as the number that it is: leading zeros make no difference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Serial(Vec<u8>);

impl Serial {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Self(bytes.get(zeros..).unwrap_or_default().to_vec())
    }
}

/// Two hexadecimal digits for each byte, with `:` between them, as the gateway and most tools write it.
impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for byte in &self.0 {
            let _ = write!(text, "{}{byte:02x}", if text.is_empty() { "" } else { ":" });
        }
        f.write_str(if text.is_empty() { "00" } else { &text })
    }
}

/// The names by which a certificate calls its subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Subject alternative names that are URIs.
    pub(super) uris: Vec<String>,
    /// Those that are names of hosts.
    pub(super) dns: Vec<String>,
    /// Those that are e-mail addresses.
    pub(super) emails: Vec<String>,
    /// Whether there are subject alternative names of any kind; then the common name says nothing.
    pub(super) alternative: bool,
    /// The common names of the subject; `None` for one that is not in a character set of today.
    pub(super) common: Vec<Option<String>>,
}

/// One certificate, read. Nothing of it is verified.
pub(super) struct Parsed {
    /// SHA-256 over the DER (RFC 8705 section 3.1).
    pub(super) thumbprint: [u8; 32],
    pub(super) serial: Serial,
    /// The name of the issuer, as it is encoded.
    pub(super) issuer: Vec<u8>,
    /// The same for people.
    pub(super) issuer_text: String,
    /// The name of the subject, as it is encoded.
    pub(super) subject_der: Vec<u8>,
    /// The same for people.
    pub(super) subject: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) names: Names,
    /// Where the certificate says its revocation list is.
    pub(super) crl_points: Vec<String>,
    /// Whether it may sign others (RFC 5280 sections 4.2.1.3 and 4.2.1.9).
    pub(super) is_authority: bool,
    /// Whether it may sign lists of revoked certificates (RFC 5280 section 4.2.1.3).
    pub(super) signs_lists: bool,
    /// Whether clients may use it (RFC 5280 section 4.2.1.12).
    for_clients: bool,
    pub(super) key: Option<PublicKey>,
    pub(super) signed: Signed,
}

impl Parsed {
    /// Reads the certificate that the client showed.
    pub(super) fn of_pem(text: &str) -> Result<Self, Denial> {
        let refused = |why: &str| Denial::new(Reason::CertificateMalformed, why);
        if text.len() > MAX_CERTIFICATE {
            return Err(refused("longer than any certificate that is read"));
        }
        let der = pem::decode(text, "CERTIFICATE").map_err(refused)?;
        let parsed = Self::of_der(&der).map_err(refused)?;
        if !parsed.for_clients {
            return Err(refused("its extended key usage is not for clients"));
        }
        Ok(parsed)
    }

    /// Reads a certificate of any kind.
    pub(super) fn of_der(der: &[u8]) -> Result<Self, &'static str> {
        let certificate = whole(der)?;
        let tbs = &certificate.tbs_certificate;
        tbs.extensions_map()
            .map_err(|_| "an extension is repeated")?;
        let mut names = Names {
            common: common_names(&tbs.subject),
            ..Names::default()
        };
        let mut crl_points = Vec::new();
        let (mut ca, mut for_clients) = (false, true);
        // Without the extension a key may be used for anything.
        let (mut signs, mut signs_lists) = (true, true);
        for extension in tbs.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(found) => {
                    names.alternative = true;
                    names.take(&found.general_names)?;
                }
                ParsedExtension::CRLDistributionPoints(points) => {
                    for point in &points.points {
                        crl_points.extend(uris(point.distribution_point.as_ref()));
                    }
                }
                ParsedExtension::BasicConstraints(constraints) => ca = constraints.ca,
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    for_clients = usage.client_auth || usage.any;
                }
                ParsedExtension::KeyUsage(usage) => {
                    (signs, signs_lists) = (usage.key_cert_sign(), usage.crl_sign());
                }
                other => understood(extension, other)?,
            }
        }
        let thumbprint = digest(&SHA256, der).as_ref().try_into();
        Ok(Self {
            thumbprint: thumbprint.map_err(|_| "no digest")?,
            serial: Serial::of(certificate.raw_serial()),
            issuer: tbs.issuer.as_raw().to_vec(),
            issuer_text: tbs.issuer.to_string(),
            subject_der: tbs.subject.as_raw().to_vec(),
            subject: tbs.subject.to_string(),
            not_before: time(tbs.validity.not_before),
            not_after: time(tbs.validity.not_after),
            names,
            crl_points,
            is_authority: ca && signs,
            signs_lists,
            for_clients,
            key: PublicKey::of(&tbs.subject_pki),
            signed: Signed::new(
                tbs.as_ref(),
                &tbs.signature,
                &certificate.signature_algorithm,
                &certificate.signature_value,
            ),
        })
    }
}

impl Names {
    fn take(&mut self, names: &[GeneralName<'_>]) -> Result<(), &'static str> {
        for name in names {
            let (list, text) = match name {
                GeneralName::URI(text) => (&mut self.uris, text),
                GeneralName::DNSName(text) => (&mut self.dns, text),
                GeneralName::RFC822Name(text) => (&mut self.emails, text),
                GeneralName::Invalid(..) => return Err("a subject alternative name is malformed"),
                _ => continue,
            };
            // These are IA5String (RFC 5280 section 4.2.1.6). A zero byte ends the name for some readers and not for others.
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err("a subject alternative name has characters that none may have");
            }
            list.push((*text).to_owned());
        }
        Ok(())
    }
}

pub(super) fn time(time: ASN1Time) -> Timestamp {
    Timestamp::from_unix(time.timestamp())
}

/// The addresses of a distribution point.
pub(super) fn uris(point: Option<&DistributionPointName<'_>>) -> Vec<String> {
    let Some(DistributionPointName::FullName(names)) = point else {
        return Vec::new();
    };
    let uri = |name: &GeneralName<'_>| match name {
        GeneralName::URI(text) => Some((*text).to_owned()),
        _ => None,
    };
    names.iter().filter_map(uri).collect()
}

fn whole(der: &[u8]) -> Result<X509Certificate<'_>, &'static str> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err("something stands behind the certificate"),
        Err(_) => Err("not a certificate in DER"),
    }
}

/// A critical extension that is not understood makes a certificate unusable (RFC 5280 section 4.2).
fn understood(
    extension: &X509Extension<'_>,
    parsed: &ParsedExtension<'_>,
) -> Result<(), &'static str> {
    match parsed {
        ParsedExtension::ParseError { .. } => Err("an extension is malformed"),
        ParsedExtension::CertificatePolicies(_)
        | ParsedExtension::AuthorityKeyIdentifier(_)
        | ParsedExtension::SubjectKeyIdentifier(_) => Ok(()),
        _ if extension.critical => Err("a critical extension is not understood"),
        _ => Ok(()),
    }
}

fn common_names(subject: &X509Name<'_>) -> Vec<Option<String>> {
    let text = |name: &str| !name.is_empty() && !name.chars().any(char::is_control);
    subject
        .iter_common_name()
        .map(|name| name.as_str().ok().filter(|name| text(name)))
        .map(|name| name.map(str::to_owned))
        .collect()
}
