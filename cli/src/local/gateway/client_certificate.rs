//! The certificate of a client as API Gateway tells it (API Gateway Developer Guide, *Mutual TLS authentication*, and the
//! inputs of authorizers and Lambda integrations).
//!
//! - Names are those of the certificate in its own order, such as `C=US,O=Example,CN=client`.
//! - Times are texts such as `Aug  5 00:28:21 2120 GMT`, the day filled with a space.
//! - AWS shows serial numbers in two spellings and states no rule: its example of a REST API has a decimal number, those of
//!   HTTP APIs have bytes with colons. It is done so here; whoever compares serial numbers should compare numbers.

use serde_json::{Value, json};
use time::{OffsetDateTime, macros::format_description};
use x509_parser::{
    certificate::X509Certificate,
    objects::{oid_registry, oid2abbrev},
    parse_x509_certificate,
    pem::parse_x509_pem,
    time::ASN1Time,
    x509::{AttributeTypeAndValue, X509Name},
};

/// A certificate that the listener has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pem: String,
    subject: String,
    issuer: String,
    decimal: String,
    octets: String,
    not_before: String,
    not_after: String,
}

impl ClientCertificate {
    /// Reads a certificate in DER, with its PEM text; `None` where it cannot be told.
    pub fn parse(der: &[u8], pem: String) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        Self::of(&certificate, pem)
    }

    /// Reads the first certificate of a PEM text, such as the file that `curl --cert` takes.
    pub fn parse_pem(text: &str) -> Option<Self> {
        let (_, pem) = parse_x509_pem(text.as_bytes()).ok()?;
        Self::parse(&pem.contents, text.to_owned())
    }

    /// `clientCert` of a REST API, and of an HTTP API with format 1.0 where `is_http`.
    pub(super) fn for_identity(&self, is_http: bool) -> Value {
        let serial = if is_http { &self.octets } else { &self.decimal };
        self.told(serial)
    }

    /// `clientCert` of format 2.0.
    pub(super) fn for_authentication(&self) -> Value {
        self.told(&self.octets)
    }

    fn told(&self, serial: &str) -> Value {
        json!({
            "clientCertPem": self.pem,
            "subjectDN": self.subject,
            "issuerDN": self.issuer,
            "serialNumber": serial,
            "validity": {"notBefore": self.not_before, "notAfter": self.not_after},
        })
    }

    fn of(certificate: &X509Certificate<'_>, pem: String) -> Option<Self> {
        let validity = certificate.validity();
        Some(Self {
            pem,
            subject: name(certificate.subject())?,
            issuer: name(certificate.issuer())?,
            decimal: certificate.serial.to_string(),
            octets: certificate.raw_serial_as_string(),
            not_before: date(validity.not_before)?,
            not_after: date(validity.not_after)?,
        })
    }
}

fn name(name: &X509Name<'_>) -> Option<String> {
    let relative = name.iter_rdn().map(|relative| {
        let parts: Option<Vec<String>> = relative.iter().map(attribute).collect();
        Some(parts?.join("+"))
    });
    let all: Option<Vec<String>> = relative.collect();
    Some(all?.join(","))
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let kind = attribute.attr_type();
    let kind = oid2abbrev(kind, oid_registry()).map_or_else(|_| kind.to_id_string(), str::to_owned);
    let value = attribute.as_str().ok()?;
    let escaped: String = value
        .chars()
        .flat_map(|c| {
            // RFC 4514 section 2.4.
            let is_special = matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';');
            is_special.then_some('\\').into_iter().chain([c])
        })
        .collect();
    Some(format!("{kind}={escaped}"))
}

fn date(time: ASN1Time) -> Option<String> {
    let format = format_description!(
        "[month repr:short] [day padding:space] [hour]:[minute]:[second] [year] GMT"
    );
    let time = OffsetDateTime::from_unix_timestamp(time.timestamp()).ok()?;
    time.format(format).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SerialNumber};

    use super::*;

    #[test]
    fn tells_names_numbers_and_times_as_the_examples_of_aws_do() {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CountryName, "US");
        subject.push(DnType::StateOrProvinceName, "Washington");
        subject.push(DnType::OrganizationName, "Example, Inc.");
        subject.push(DnType::OrganizationalUnitName, "Security");
        subject.push(DnType::CommonName, "My Client");
        params.distinguished_name = subject;
        params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0x1b]));
        let at = |text: i64| OffsetDateTime::from_unix_timestamp(text).unwrap();
        // 2020-08-29T00:28:21Z and 2120-08-05T00:28:21Z.
        (params.not_before, params.not_after) = (at(1_598_660_901), at(4_752_260_901));
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let certificate = ClientCertificate::parse_pem(&made.pem()).unwrap();
        let dn = "C=US,ST=Washington,O=Example\\, Inc.,OU=Security,CN=My Client";
        let of_rest = certificate.for_identity(false);
        assert_eq!(
            of_rest,
            json!({
                "clientCertPem": made.pem(), "subjectDN": dn, "issuerDN": dn, "serialNumber": "2587",
                "validity": {"notBefore": "Aug 29 00:28:21 2020 GMT", "notAfter": "Aug  5 00:28:21 2120 GMT"},
            })
        );
        for told in [
            certificate.for_identity(true),
            certificate.for_authentication(),
        ] {
            assert_eq!(told["serialNumber"], "0a:1b");
        }
    }

    #[test]
    fn refuses_what_is_no_certificate() {
        assert_eq!(ClientCertificate::parse(b"hunter2", String::new()), None);
        assert_eq!(ClientCertificate::parse_pem(""), None);
    }
}
