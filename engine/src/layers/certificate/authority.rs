//! The authorities whose certificates are accepted.

use std::collections::BTreeSet;

use doorward_keys::Timestamp;

use super::{
    config::CrlPlace,
    parse::{Parsed, Serial},
    pem,
    signature::PublicKey,
};

/// One authority, checked.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    /// The name in the configuration.
    pub(super) name: String,
    /// Its name as it is encoded; what it issues carries the same bytes.
    pub(super) subject: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// Whether its key may sign lists of revoked certificates.
    pub(super) signs_lists: bool,
    /// Serial numbers that are revoked whatever a list says.
    pub(super) revoked: BTreeSet<Serial>,
    pub(super) crl: Option<CrlPlace>,
}

impl Authority {
    /// Reads the certificate of an authority.
    pub(super) fn of_pem(name: &str, text: &str) -> Result<Self, &'static str> {
        let der = pem::decode(text, "CERTIFICATE")?;
        let parsed = Parsed::of_der(&der)?;
        if !parsed.is_authority {
            return Err("the certificate is not that of an authority that may sign others");
        }
        Ok(Self {
            name: name.to_owned(),
            subject: parsed.subject_der,
            key: parsed
                .key
                .ok_or("the key is of a kind that is not supported")?,
            not_before: parsed.not_before,
            not_after: parsed.not_after,
            signs_lists: parsed.signs_lists,
            revoked: BTreeSet::new(),
            crl: None,
        })
    }
}
