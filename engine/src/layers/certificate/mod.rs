//! Client certificates: who shows one, by which authority, and whether it still holds.
//!
//! The gateway has checked that the client holds the key, and that the certificate leads to its trust store. It does not
//! check revocation, and any authority of the trust store may issue any name (AWS: *Mutual TLS for REST APIs*). So, in this
//! order:
//!
//! 1. **Form.** The PEM of the request context is the authority; the fields beside it are not read, and no header ever is.
//!    One certificate in canonical DER with no extension twice and none critical that is not understood (RFC 5280 section
//!    4.2), for clients where it says for what (section 4.2.1.12); else [`CertificateMalformed`](Reason::CertificateMalformed).
//! 2. **Authority.** It was issued under the name and signed with the key of one of `certificates.authorities`, which is
//!    itself in its time, or [`CertificateIssuer`](Reason::CertificateIssuer). The chain is not followed: whoever signs
//!    client certificates stands in the configuration.
//! 3. **Times**, both ends included (section 4.1.2.5), by our clock: [`CertificateExpired`](Reason::CertificateExpired),
//!    [`CertificateNotYetValid`](Reason::CertificateNotYetValid).
//! 4. **Revocation.** Its serial number, compared as a number, is not on the list of its authority in the configuration nor
//!    on its CRL, or [`CertificateRevoked`](Reason::CertificateRevoked). A CRL that is not there, not signed by the
//!    authority, past its time or about other certificates is [`CrlUnavailable`](Reason::CrlUnavailable).
//! 5. **Identity.** The first kind of `certificates.identity` that the certificate has names of: URI, DNS name or e-mail
//!    address of the subject alternative names, and the common name only where there are none of these (RFC 9525 section
//!    2). Where `certificates.clients` are configured, the names of that kind that one of them accepts count, and with none
//!    it is [`CertificateUnknown`](Reason::CertificateUnknown). Exactly one name must be left, or
//!    [`CertificateAmbiguous`](Reason::CertificateAmbiguous): two common names, or two names of one kind, are two callers.
//!    A name with `*`, control characters or, but for a common name, anything outside ASCII is nobody's.
//!
//! # Caveats
//!
//! - A certificate is shown with every request of a custom domain with mutual TLS. Routes that do not name `certificate`
//!   take no notice of it, unless a token is bound to it ([`crate::layers::proof`]).
//! - A revoked certificate works on for as long as the CRL is not published and not read again
//!   (`certificates.crl_refresh_seconds`), and then for as long as the gateway keeps an answer.

mod authority;
mod config;
mod crl;
mod identity;
mod parse;
mod pem;
mod revocation;
mod signature;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use doorward_keys::Timestamp;

use self::{authority::Authority, identity::choose, parse::Parsed, revocation::Revocation};
use crate::{
    denial::{Denial, Reason},
    identity::Certificate,
    layers::jwt::shown::shown,
};

pub(crate) use config::RawCertificates;
pub use config::{CertificatesConfig, CrlPlace};
pub use identity::{Identity, NameKind};
pub use revocation::CrlSource;

/// Verifies client certificates.
pub struct Certificates {
    config: Arc<CertificatesConfig>,
    revocation: Revocation,
}

impl Certificates {
    /// A verifier that fetches revocation lists with `source`.
    pub fn new(config: Arc<CertificatesConfig>, source: Arc<dyn CrlSource>) -> Self {
        let revocation = Revocation::new(&config, source);
        Self { config, revocation }
    }

    /// Verifies the certificate in `pem` at `now`, and who it is.
    pub async fn verify(&self, pem: &str, now: Timestamp) -> Result<Certificate, Denial> {
        let parsed = Parsed::of_pem(pem)?;
        let authority = self.standing(&parsed, now).await?;
        let identified = choose(&self.config, &parsed.names, &authority.name)?;
        Ok(Certificate {
            identity: identified.identity,
            authority: authority.name.clone(),
            subject: shown(&parsed.subject),
            serial: parsed.serial.to_string(),
            valid_until: parsed.not_after.plus(1),
            tenant: identified.tenant,
            scopes: identified.scopes,
        })
    }

    /// Whether the certificate in `pem` holds at `now`, whoever it is; for a token that is bound to it.
    pub async fn holds(&self, pem: &str, now: Timestamp) -> Result<(), Denial> {
        let parsed = Parsed::of_pem(pem)?;
        self.standing(&parsed, now).await.map(|_| ())
    }

    /// Fetches the revocation lists that are due; says for each authority what came of it.
    pub async fn refresh(&self, now: Timestamp) -> Vec<(String, Result<(), String>)> {
        self.revocation.refresh(now).await
    }

    /// Steps 2 to 4.
    async fn standing(&self, parsed: &Parsed, now: Timestamp) -> Result<&Authority, Denial> {
        let (index, authority) = self.authority_of(parsed, now)?;
        in_time(parsed, now)?;
        if authority.revoked.contains(&parsed.serial) {
            return Err(revoked(parsed, "the list in the configuration"));
        }
        self.revocation.check(index, parsed, now).await?;
        Ok(authority)
    }

    fn authority_of(&self, parsed: &Parsed, now: Timestamp) -> Result<(usize, &Authority), Denial> {
        let mut named = false;
        // An authority that was renewed has the name and the key of the one before, which may be past its time.
        let mut out_of_time = None;
        for (index, authority) in self.config.authorities.iter().enumerate() {
            if authority.subject != parsed.issuer {
                continue;
            }
            named = true;
            if !authority.key.verifies(&parsed.signed) {
                continue;
            }
            if now < authority.not_before || now > authority.not_after {
                out_of_time.get_or_insert(authority);
                continue;
            }
            return Ok((index, authority));
        }
        if let Some(authority) = out_of_time {
            let detail = format!("the certificate of `{}` is not in its time", authority.name);
            return Err(Denial::new(Reason::CertificateIssuer, detail));
        }
        let issuer = shown(&parsed.issuer_text);
        let detail = if named {
            format!("issued in the name of {issuer}, and not with the key of that authority")
        } else {
            format!("issued by {issuer}, which is none of the authorities")
        };
        Err(Denial::new(Reason::CertificateIssuer, detail))
    }
}

/// The SHA-256 of the certificate in `pem`, and when it stops working. Its times are checked, and nothing else: for a token that
/// is bound to it.
pub(crate) fn examine(pem: &str, now: Timestamp) -> Result<([u8; 32], Timestamp), Denial> {
    let parsed = Parsed::of_pem(pem)?;
    in_time(&parsed, now)?;
    Ok((parsed.thumbprint, parsed.not_after.plus(1)))
}

/// RFC 5280 section 4.1.2.5: both ends are part of the time.
fn in_time(parsed: &Parsed, now: Timestamp) -> Result<(), Denial> {
    if now < parsed.not_before {
        let ahead = parsed.not_before.since(now);
        let detail = format!("valid in {ahead} seconds");
        return Err(Denial::new(Reason::CertificateNotYetValid, detail));
    }
    if now > parsed.not_after {
        let ago = now.since(parsed.not_after);
        let detail = format!("expired {ago} seconds ago");
        return Err(Denial::new(Reason::CertificateExpired, detail));
    }
    Ok(())
}

fn revoked(parsed: &Parsed, by: &str) -> Denial {
    let detail = format!("the serial number {} is on {by}", parsed.serial);
    Denial::new(Reason::CertificateRevoked, detail)
}
