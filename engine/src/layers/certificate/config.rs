//! The configuration of client certificates: as written, and checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    authority::Authority,
    identity::{AcceptedClient, NameKind, Pattern},
    parse::Serial,
};
use crate::config::{
    ConfigEnv, Faults, Problem,
    values::{Limits, shown},
};

/// Which client certificates are accepted, and for whom.
#[derive(Clone, Debug)]
pub struct CertificatesConfig {
    /// The kinds of names that are looked for, in this order.
    pub(super) identity: Vec<NameKind>,
    // INVARIANT: not empty.
    pub(super) authorities: Vec<Authority>,
    /// Whose certificates are accepted; empty means every one of the authorities.
    pub(super) clients: Vec<AcceptedClient>,
    pub(super) crl_refresh: i64,
    pub(super) crl_stale: i64,
}

impl CertificatesConfig {
    /// Whether a revocation list is kept by AWS.
    pub fn fetches_from_s3(&self) -> bool {
        let mut places = self.authorities.iter().filter_map(|a| a.crl.as_ref());
        places.any(|place| matches!(place, CrlPlace::S3 { .. }))
    }
}

/// Where a revocation list is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CrlPlace {
    /// A file beside the configuration.
    File(String),
    /// An object of S3.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key of the object, without a slash before it.
        key: String,
    },
}

impl std::fmt::Display for CrlPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

impl CrlPlace {
    /// Reads a place. AWS: Amazon S3, *Bucket naming rules* and *Object key names*.
    fn parse(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("s3://") else {
            let is_path = !text.is_empty() && !text.contains("://") && !text.contains('\0');
            return is_path.then(|| Self::File(text.to_owned()));
        };
        let (bucket, key) = rest.split_once('/')?;
        let fits = (3..=63).contains(&bucket.len())
            && bucket
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
            && !key.is_empty()
            && key.len() <= 1024
            && !key.chars().any(char::is_control);
        fits.then(|| Self::S3 {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }
}

/// Client certificates: whose are accepted, and who they are. Without this table none is.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawCertificates {
    /// The kinds of names that say who the client is. The first kind that a certificate has names of decides. The common
    /// name counts only where there are no subject alternative names.
    #[cfg_attr(feature = "schema", schemars(extend("default" = ["uri", "dns", "email", "cn"])))]
    identity: Option<Vec<RawNameKind>>,
    /// The authorities that issue client certificates, by a name of your choice. At least one; the trust store of the gateway
    /// may hold more.
    authorities: Option<BTreeMap<String, RawAuthority>>,
    /// Whose certificates are accepted. Without this list, everybody's to whom one of the authorities gave one.
    clients: Option<Vec<RawCertificateClient>>,
    /// How often revocation lists are read again, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = REFRESH.min, max = REFRESH.max), extend("default" = REFRESH.default)))]
    crl_refresh_seconds: Option<i64>,
    /// How long a revocation list is used beyond the time at which it says the next one comes, in seconds; for one that says
    /// no time, how long beyond the time at which it should have been read again.
    #[cfg_attr(feature = "schema", schemars(range(min = STALE.min, max = STALE.max), extend("default" = STALE.default)))]
    crl_stale_seconds: Option<i64>,
}

/// A kind of name in a certificate.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawNameKind {
    /// A URI among the subject alternative names, such as a SPIFFE ID.
    Uri,
    /// The name of a host among the subject alternative names.
    Dns,
    /// An e-mail address among the subject alternative names.
    Email,
    /// The common name of the subject.
    Cn,
}

/// One authority that issues client certificates.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawAuthority {
    /// Its certificate: a file in PEM beside the configuration, or the PEM itself. Required. The one that signs the
    /// certificates of clients, which may be an intermediate one.
    certificate: Option<String>,
    /// Serial numbers of certificates that are no longer accepted, in hexadecimal digits with or without `:` between them.
    revoked_serials: Option<Vec<String>>,
    /// Its list of revoked certificates, in DER or PEM: a file beside the configuration, or `s3://bucket/key`.
    crl: Option<String>,
}

/// A client that is known by its certificate.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawCertificateClient {
    /// The name in the certificate, with its kind before it: `uri:spiffe://acme.example/orders`, `dns:*.partners.example.com`,
    /// `email:ops@acme.example`, `cn:orders`. `*` stands for one whole part: the leftmost label of a host, what comes before
    /// the `@`, the last segment of the path of a URI.
    identity: Option<String>,
    /// The authority that must have issued it, by its name in `authorities`. Default: any of them.
    authority: Option<String>,
    /// The tenant that the client belongs to.
    tenant: Option<String>,
    /// The scopes that the client has. Beside a token or key: those that both have. Default: none, and none taken away from
    /// a token or key beside it.
    scopes: Option<Vec<String>>,
}

const REFRESH: Limits = Limits {
    min: 60,
    max: 86_400,
    default: 3600,
};
const STALE: Limits = Limits {
    min: 0,
    max: 604_800,
    default: 0,
};

impl RawCertificates {
    /// The checked configuration; `None` when a part without a default is missing.
    pub(crate) fn check(
        self,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<CertificatesConfig> {
        let identity = identity(self.identity, faults);
        let given = self.authorities.unwrap_or_default();
        let names: Vec<String> = given.keys().cloned().collect();
        if given.is_empty() && !faults.is_replaced("certificates.authorities") {
            let what = "name at least one authority that issues client certificates";
            faults.problem("certificates.authorities", Problem::Missing { what });
        }
        let authorities: Vec<Authority> = given
            .into_iter()
            .filter_map(|(name, raw)| raw.check(&name, env, faults))
            .collect();
        if self.clients.is_none() {
            faults.warning("certificates.clients", Problem::CertificatesOfAll);
        }
        let clients = clients(self.clients, &names, faults);
        let path = "certificates.crl_refresh_seconds";
        let crl_refresh = REFRESH.check(self.crl_refresh_seconds, path, faults).into();
        let path = "certificates.crl_stale_seconds";
        let crl_stale = STALE.check(self.crl_stale_seconds, path, faults).into();
        (!authorities.is_empty()).then_some(CertificatesConfig {
            identity,
            authorities,
            clients,
            crl_refresh,
            crl_stale,
        })
    }
}

fn identity(raw: Option<Vec<RawNameKind>>, faults: &mut Faults) -> Vec<NameKind> {
    let path = "certificates.identity";
    let Some(raw) = raw else {
        return NameKind::ALL.to_vec();
    };
    if raw.is_empty() {
        let what = "kind of name";
        let otherwise = "; leave it out to look for all of them";
        faults.problem(path, Problem::Empty { what, otherwise });
    }
    let mut kinds = Vec::new();
    for (index, kind) in raw.into_iter().enumerate() {
        let place = format!("{path}[{index}]");
        if faults.is_replaced(&place) {
            continue;
        }
        let kind = match kind {
            RawNameKind::Uri => NameKind::Uri,
            RawNameKind::Dns => NameKind::Dns,
            RawNameKind::Email => NameKind::Email,
            RawNameKind::Cn => NameKind::CommonName,
        };
        if kinds.contains(&kind) {
            let value = kind.as_str().to_owned();
            faults.problem(place, Problem::Repeated { value });
        } else {
            kinds.push(kind);
        }
    }
    kinds
}

impl RawAuthority {
    fn check(self, name: &str, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<Authority> {
        let path = crate::config::join("certificates.authorities", name);
        let fits = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !fits {
            let found = shown(name);
            faults.problem(path.as_str(), Problem::AuthorityName { found });
        }
        let of_certificate = format!("{path}.certificate");
        let authority = match &self.certificate {
            None => {
                if !faults.is_replaced(&of_certificate) {
                    let what = "the certificate of the authority, a file in PEM or the PEM itself";
                    faults.problem(of_certificate, Problem::Missing { what });
                }
                None
            }
            Some(text) => certificate(name, text, &of_certificate, env, faults),
        };
        let revoked = serials(
            self.revoked_serials,
            &format!("{path}.revoked_serials"),
            faults,
        );
        let crl = self.crl.and_then(|text| {
            let place = CrlPlace::parse(&text);
            if place.is_none() {
                let found = shown(&text);
                faults.problem(format!("{path}.crl"), Problem::CrlPlace { found });
            }
            place
        });
        if crl.is_some()
            && let Some(authority) = &authority
            && !authority.signs_lists
        {
            let why = "the certificate of the authority does not let its key sign lists of revoked certificates (`cRLSign`, RFC 5280 section 4.2.1.3)";
            faults.add(format!("{path}.crl"), why);
        }
        authority.map(|authority| Authority {
            revoked,
            crl,
            ..authority
        })
    }
}

fn certificate(
    name: &str,
    text: &str,
    path: &str,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Option<Authority> {
    let pem = if text.trim_start().starts_with("-----BEGIN") {
        Ok(text.to_owned())
    } else {
        (env.read_file)(text)
    };
    let read = pem.and_then(|pem| Authority::of_pem(name, &pem).map_err(str::to_owned));
    read.map_err(|reason| faults.problem(path, Problem::AuthorityCertificate { reason }))
        .ok()
}

fn serials(raw: Option<Vec<String>>, path: &str, faults: &mut Faults) -> BTreeSet<Serial> {
    let mut serials = BTreeSet::new();
    for (index, text) in raw.unwrap_or_default().into_iter().enumerate() {
        if let Some(serial) = serial(&text) {
            serials.insert(serial);
        } else {
            let found = shown(&text);
            let path = format!("{path}[{index}]");
            faults.problem(path, Problem::SerialMalformed { found });
        }
    }
    serials
}

/// Hexadecimal digits, with `:` between pairs or without. At most 20 bytes (RFC 5280 section 4.1.2.2), and one more for a zero.
fn serial(text: &str) -> Option<Serial> {
    let digits: String = if text.contains(':') {
        let pairs: Vec<&str> = text.split(':').collect();
        if pairs.iter().any(|pair| pair.len() != 2) {
            return None;
        }
        pairs.concat()
    } else {
        text.to_owned()
    };
    if digits.is_empty() || digits.len() > 42 {
        return None;
    }
    let digits = if digits.len() % 2 == 1 {
        format!("0{digits}")
    } else {
        digits
    };
    let values: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let bytes = values?
        .chunks(2)
        .filter_map(|pair| match pair {
            [high, low] => u8::try_from(high << 4 | low).ok(),
            _ => None,
        })
        .collect::<Vec<u8>>();
    Some(Serial::of(&bytes))
}

fn clients(
    raw: Option<Vec<RawCertificateClient>>,
    authorities: &[String],
    faults: &mut Faults,
) -> Vec<AcceptedClient> {
    let Some(raw) = raw else { return Vec::new() };
    if raw.is_empty() {
        let what = "client";
        let otherwise = "; leave it out to accept every certificate of the authorities";
        faults.problem("certificates.clients", Problem::Empty { what, otherwise });
    }
    let mut clients = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let path = format!("certificates.clients[{index}]");
        clients.extend(raw.check(&path, authorities, faults));
    }
    clients
}

impl RawCertificateClient {
    fn check(
        self,
        path: &str,
        authorities: &[String],
        faults: &mut Faults,
    ) -> Option<AcceptedClient> {
        let of_identity = format!("{path}.identity");
        let pattern = match &self.identity {
            None => {
                if !faults.is_replaced(&of_identity) {
                    let what = "the name in the certificate, such as `dns:orders.example.com`";
                    faults.problem(of_identity, Problem::Missing { what });
                }
                None
            }
            Some(text) => Pattern::parse(text)
                .map_err(|reason| {
                    let found = shown(text);
                    faults.problem(of_identity, Problem::IdentityMalformed { found, reason });
                })
                .ok(),
        };
        if let Some(found) = &self.authority
            && !authorities.contains(found)
        {
            let hint = crate::config::values::hint(found, authorities.iter().map(String::as_str));
            let found = shown(found);
            faults.problem(
                format!("{path}.authority"),
                Problem::AuthorityUnknown { found, hint },
            );
        }
        crate::config::check_tenant(self.tenant.as_deref(), &format!("{path}.tenant"), faults);
        if let Some(scopes) = &self.scopes {
            crate::config::check_scopes(scopes, &format!("{path}.scopes"), faults);
        }
        Some(AcceptedClient {
            pattern: pattern?,
            authority: self.authority,
            tenant: self.tenant,
            scopes: self.scopes.map(|scopes| scopes.into_iter().collect()),
        })
    }
}
