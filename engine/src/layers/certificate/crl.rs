//! Lists of revoked certificates (RFC 5280 section 5).

use std::collections::HashSet;

use doorward_keys::Timestamp;
use x509_parser::{
    extensions::{ParsedExtension, X509Extension},
    prelude::FromDer as _,
    revocation_list::CertificateRevocationList,
};

use super::{
    authority::Authority,
    parse::{Serial, time, uris},
    pem,
    signature::Signed,
};

/// How far the time of a list may lie ahead of our clock, in seconds.
const LEEWAY: i64 = 300;

/// The longest list that is read, in bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One list, verified: its authority signed it.
#[derive(Debug)]
pub(super) struct Crl {
    pub(super) this_update: Timestamp,
    pub(super) next_update: Option<Timestamp>,
    pub(super) revoked: HashSet<Serial>,
    /// Where the certificates that it speaks of say their list is; empty when it speaks of all.
    scope: Vec<String>,
}

impl Crl {
    /// Reads and verifies the list of `authority`, in DER or PEM.
    pub(super) fn read(
        bytes: &[u8],
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        if bytes.len() > MAX_BYTES {
            return Err("longer than any list that is read");
        }
        let decoded;
        let der = match std::str::from_utf8(bytes) {
            Ok(text) if text.trim_start().starts_with("-----BEGIN") => {
                decoded = pem::decode(text, "X509 CRL")?;
                decoded.as_slice()
            }
            _ => bytes,
        };
        let list = match CertificateRevocationList::from_der(der) {
            Ok(([], list)) => list,
            Ok(_) => return Err("something stands behind the list"),
            Err(_) => return Err("not a list of revoked certificates in DER or PEM"),
        };
        let tbs = &list.tbs_cert_list;
        if tbs.issuer.as_raw() != authority.subject {
            return Err("the list is of another authority");
        }
        // What is verified is what was read: the parser gives up quietly on entries that it cannot read, and then the bytes
        // that it took are not those that were signed.
        let signed = Signed::new(
            tbs.as_ref(),
            &tbs.signature,
            &list.signature_algorithm,
            &list.signature_value,
        );
        if !authority.key.verifies(&signed) {
            return Err("the list is not signed with the key of the authority");
        }
        let this_update = time(tbs.this_update);
        if this_update > now.plus(LEEWAY) {
            return Err("the list is from the future");
        }
        let scope = scope(tbs.extensions())?;
        let mut revoked = HashSet::new();
        for entry in &tbs.revoked_certificates {
            // An entry with a critical extension that is not understood, such as the issuer of another authority, makes the
            // whole list unusable (section 5.3).
            if entry.extensions().iter().any(|extension| {
                extension.critical
                    && !matches!(extension.parsed_extension(), ParsedExtension::ReasonCode(_))
            }) {
                return Err("a critical extension of an entry is not understood");
            }
            revoked.insert(Serial::of(entry.raw_serial()));
        }
        Ok(Self {
            this_update,
            next_update: tbs.next_update.map(time),
            revoked,
            scope,
        })
    }

    /// Whether the list speaks of a certificate that says its lists are at `points` (RFC 5280 section 6.3.3, step b 2 i).
    pub(super) fn covers(&self, points: &[String]) -> bool {
        self.scope.is_empty() || self.scope.iter().any(|point| points.contains(point))
    }
}

/// RFC 5280 section 5.2: a list with a critical extension that is not understood must not be used.
fn scope(extensions: &[X509Extension<'_>]) -> Result<Vec<String>, &'static str> {
    let mut scope = Vec::new();
    for extension in extensions {
        match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) => {
                if point.only_contains_ca_certs
                    || point.only_contains_attribute_certs
                    || point.indirect_crl
                    || point.only_some_reasons.is_some()
                {
                    return Err("the list speaks of a part of the certificates only");
                }
                if point.distribution_point.is_some() {
                    scope = uris(point.distribution_point.as_ref());
                    if scope.is_empty() {
                        return Err(
                            "the list names the place that it speaks of in a way that is not understood",
                        );
                    }
                }
            }
            ParsedExtension::CRLNumber(_) | ParsedExtension::AuthorityKeyIdentifier(_) => {}
            _ if extension.critical => {
                return Err("a critical extension of the list is not understood");
            }
            _ => {}
        }
    }
    Ok(scope)
}
