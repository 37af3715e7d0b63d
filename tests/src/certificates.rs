//! A tree of authorities and the certificates of clients. Keys are made when a test runs; no private key is stored anywhere.

use doorward_keys::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber,
};
use time::OffsetDateTime;

/// An authority that signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, in PEM.
    pub pem: String,
}

/// What a certificate of a client says.
#[derive(Clone)]
pub struct Client {
    params: CertificateParams,
}

/// What a revocation list says.
#[derive(Clone, Debug)]
pub struct List {
    /// When it was made, and when the next one comes.
    pub times: (Timestamp, Timestamp),
    /// The serial numbers on it.
    pub serials: Vec<Vec<u8>>,
    /// Where the certificates that it speaks of say their list is, where it speaks of a part only.
    pub part: Option<String>,
}

#[expect(
    clippy::expect_used,
    reason = "a test cannot go on without its certificates"
)]
impl Authority {
    /// An authority with the common name `name`, good for a day before and after `now`.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make it.
    pub fn new(name: &str, now: Timestamp) -> Self {
        Self::between(name, now.plus(-86_400), now.plus(86_400))
    }

    /// The same, good for another time.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make it.
    pub fn between(name: &str, not_before: Timestamp, not_after: Timestamp) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(name, not_before, not_after);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// Another certificate of this authority, in PEM: the name that it has, its key, other times.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make it.
    pub fn renewed(&self, name: &str, not_before: Timestamp, not_after: Timestamp) -> String {
        let params = authority(name, not_before, not_after);
        let made = params.self_signed(self.issuer.key());
        made.expect("a certificate").pem()
    }

    /// An authority below this one.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make it.
    pub fn below(&self, name: &str, now: Timestamp) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(name, now.plus(-86_400), now.plus(86_400));
        let made = params.signed_by(&key, &self.issuer);
        let pem = made.expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// The certificate of `client`, in PEM.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make it.
    pub fn issue(&self, client: &Client) -> String {
        let key = KeyPair::generate().expect("a key");
        let made = client.params.signed_by(&key, &self.issuer);
        made.expect("a certificate").pem()
    }

    /// The list of revoked certificates, in DER.
    ///
    /// # Panics
    ///
    /// When the crypto library cannot make it.
    pub fn crl(&self, list: &List) -> Vec<u8> {
        let (this, next) = list.times;
        let revoked = list.serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: time(this),
            reason_code: None,
            invalidity_date: None,
        });
        let point = list.part.as_ref().map(|uri| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec![uri.clone()],
            },
            scope: None,
        });
        let params = CertificateRevocationListParams {
            this_update: time(this),
            next_update: time(next),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: point,
            revoked_certs: revoked.collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let made = params.signed_by(&self.issuer).expect("a list");
        made.der().to_vec()
    }
}

#[expect(
    clippy::expect_used,
    reason = "a test cannot go on without its certificates"
)]
impl Client {
    /// A client with the common name `name` and the serial number 1, good for an hour before and after `now`.
    pub fn new(name: &str, now: Timestamp) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = time(now.plus(-3600));
        params.not_after = time(now.plus(3600));
        params.serial_number = Some(SerialNumber::from_slice(&[1]));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Self { params }
    }

    /// A client with one subject alternative name, `uri:`, `dns:`, `email:` or `ip:` before it.
    ///
    /// # Panics
    ///
    /// When the name is none of these.
    pub fn named(name: &str, now: Timestamp) -> Self {
        Self::new("somebody", now).with(name)
    }

    /// The same with another subject alternative name.
    ///
    /// # Panics
    ///
    /// When the name is none of these.
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        let (kind, name) = name.split_once(':').expect("a kind");
        let text = || name.try_into().expect("an ASCII name");
        let name = match kind {
            "uri" => SanType::URI(text()),
            "dns" => SanType::DnsName(text()),
            "email" => SanType::Rfc822Name(text()),
            _ => SanType::IpAddress(name.parse().expect("an address")),
        };
        self.params.subject_alt_names.push(name);
        self
    }

    /// The same with a second common name.
    #[must_use]
    pub fn with_common_name(mut self, name: &str) -> Self {
        let value = DnValue::Utf8String(name.to_owned());
        // Under its name the library would take the place of the first.
        let again = DnType::CustomDnType(vec![2, 5, 4, 3]);
        self.params.distinguished_name.push(again, value);
        self
    }

    /// The same, good for another time.
    #[must_use]
    pub fn between(mut self, not_before: Timestamp, not_after: Timestamp) -> Self {
        self.params.not_before = time(not_before);
        self.params.not_after = time(not_after);
        self
    }

    /// The same with this serial number.
    #[must_use]
    pub fn serial(mut self, serial: &[u8]) -> Self {
        self.params.serial_number = Some(SerialNumber::from_slice(serial));
        self
    }

    /// The same for servers in place of clients.
    #[must_use]
    pub fn for_servers(mut self) -> Self {
        self.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self
    }

    /// The same with the place of its revocation list.
    #[must_use]
    pub fn listed_at(mut self, uri: &str) -> Self {
        let point = CrlDistributionPoint {
            uris: vec![uri.to_owned()],
        };
        self.params.crl_distribution_points = vec![point];
        self
    }

    /// The same with an extension that nobody knows.
    #[must_use]
    pub fn with_extension(mut self, critical: bool) -> Self {
        let mut extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
        extension.set_criticality(critical);
        self.params.custom_extensions.push(extension);
        self
    }
}

fn authority(name: &str, not_before: Timestamp, not_after: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = time(not_before);
    params.not_after = time(not_after);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

#[expect(clippy::expect_used, reason = "the times of tests are in range")]
fn time(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.unix()).expect("a time")
}
