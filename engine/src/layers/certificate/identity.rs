//! Who a certificate stands for, and which names are accepted.

use std::{collections::BTreeSet, fmt};

use super::{config::CertificatesConfig, parse::Names};
use crate::{
    denial::{Denial, Reason},
    layers::jwt::shown::{shown, shown_all},
};

/// A kind of name. Names of different kinds are never compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// A URI among the subject alternative names, such as a SPIFFE ID.
    Uri,
    /// The name of a host among them.
    Dns,
    /// An e-mail address among them.
    Email,
    /// The common name of the subject, where there are no subject alternative names.
    CommonName,
}

impl NameKind {
    /// Every kind, in the order in which they are looked for when nothing is said.
    pub const ALL: [Self; 4] = [Self::Uri, Self::Dns, Self::Email, Self::CommonName];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::CommonName => "cn",
        }
    }
}

/// Who it is: a name and its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The kind of the name.
    pub kind: NameKind,
    /// The name.
    pub name: String,
}

/// `uri:spiffe://acme.example/orders`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}

/// Names that are accepted: one, or all that differ in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    kind: NameKind,
    /// What stands before and after the `*`, or the name and nothing.
    before: String,
    after: Option<String>,
}

/// One of `certificates.clients`, checked.
#[derive(Clone, Debug)]
pub(super) struct AcceptedClient {
    pub(super) pattern: Pattern,
    pub(super) authority: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) scopes: Option<BTreeSet<String>>,
}

/// The outcome of [`choose`].
pub(super) struct Identified {
    pub(super) identity: Identity,
    pub(super) tenant: Option<String>,
    pub(super) scopes: Option<BTreeSet<String>>,
}

impl Pattern {
    /// Reads `dns:*.partners.example.com`: kind, `:`, and a name in which `*` may stand for one whole part: the leftmost
    /// label of a host, what stands before the `@` of an address, the last segment of the path of a URI. A common name has
    /// no parts.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (kind, name) = text.split_once(':').ok_or(KINDS)?;
        let kind = NameKind::ALL.into_iter().find(|one| one.as_str() == kind);
        let kind = kind.ok_or(KINDS)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err("the name is empty or has control characters");
        }
        if kind != NameKind::CommonName && !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "the name has characters that no certificate has in it; write a name of a host in its ASCII form",
            );
        }
        let name = folded(kind, name);
        let (before, after) = match name.split_once('*') {
            None => (name.as_str(), None),
            Some((_, after)) if after.contains('*') => return Err("`*` may stand once"),
            Some((before, after)) => {
                let fits = match kind {
                    NameKind::Dns => before.is_empty() && after.len() > 1 && after.starts_with('.'),
                    NameKind::Email => {
                        before.is_empty() && after.len() > 1 && after.starts_with('@')
                    }
                    NameKind::Uri => {
                        let path = before.split_once("://").map(|(_, rest)| rest);
                        after.is_empty()
                            && before.ends_with('/')
                            && path.is_some_and(|rest| rest.find('/').is_some_and(|at| at > 0))
                    }
                    NameKind::CommonName => false,
                };
                if !fits {
                    return Err(
                        "`*` stands for the leftmost label of a host, for what comes before the `@` of an address, or for the last segment of the path of a URI, and for the whole of it",
                    );
                }
                (before, Some(after.to_owned()))
            }
        };
        Ok(Self {
            kind,
            before: before.to_owned(),
            after,
        })
    }

    fn accepts(&self, kind: NameKind, name: &str) -> bool {
        if kind != self.kind {
            return false;
        }
        let name = folded(kind, name);
        let Some(after) = &self.after else {
            return name == self.before;
        };
        let part = name
            .strip_prefix(self.before.as_str())
            .and_then(|rest| rest.strip_suffix(after.as_str()));
        let ends = match kind {
            NameKind::Dns => ".",
            NameKind::Email => "@",
            NameKind::Uri | NameKind::CommonName => "/?#",
        };
        part.is_some_and(|part| !part.is_empty() && !part.contains(|c| ends.contains(c)))
    }
}

const KINDS: &str = "begin with the kind of the name: `uri:`, `dns:`, `email:` or `cn:`";

/// Letter case makes no difference in names of hosts (RFC 9525 section 6.3), nor in the host of an e-mail address.
fn folded(kind: NameKind, name: &str) -> String {
    match kind {
        NameKind::Dns => name.to_ascii_lowercase(),
        NameKind::Email => match name.rsplit_once('@') {
            Some((mailbox, host)) => format!("{mailbox}@{}", host.to_ascii_lowercase()),
            None => name.to_owned(),
        },
        NameKind::Uri | NameKind::CommonName => name.to_owned(),
    }
}

/// Chooses who the certificate of `authority` stands for.
pub(super) fn choose(
    config: &CertificatesConfig,
    names: &Names,
    authority: &str,
) -> Result<Identified, Denial> {
    let refused = |reason, detail: String| Err(Denial::new(reason, detail));
    let found = config
        .identity
        .iter()
        .map(|kind| (*kind, of_kind(names, *kind)))
        .find(|(_, found)| !found.is_empty());
    let Some((kind, found)) = found else {
        let detail = "the certificate has no name of a kind that `certificates.identity` lists";
        return refused(Reason::CertificateUnknown, detail.to_owned());
    };
    let mut all = BTreeSet::new();
    for name in found {
        match name {
            Some(name) if kind == NameKind::CommonName || !name.contains('*') => {
                all.insert(folded(kind, name));
            }
            Some(name) => {
                let detail = format!(
                    "{} has a wildcard, and so is no name of a client",
                    shown(name)
                );
                return refused(Reason::CertificateUnknown, detail);
            }
            None => {
                let detail = "the common name is empty, has control characters, or is not in UTF-8";
                return refused(Reason::CertificateUnknown, detail.to_owned());
            }
        }
    }
    // Twice the same common name is still two of them, and some readers take the first and some the last.
    if kind == NameKind::CommonName && names.common.len() > 1 {
        let detail = format!("the subject has {} common names", names.common.len());
        return refused(Reason::CertificateAmbiguous, detail);
    }
    let client = |name: &String| {
        config.clients.iter().find(|client| {
            client.pattern.accepts(kind, name)
                && client
                    .authority
                    .as_deref()
                    .is_none_or(|pin| pin == authority)
        })
    };
    let accepted: Vec<(&String, Option<&AcceptedClient>)> = if config.clients.is_empty() {
        all.iter().map(|name| (name, None)).collect()
    } else {
        let known = all.iter().map(|name| (name, client(name)));
        known.filter(|(_, client)| client.is_some()).collect()
    };
    match accepted.as_slice() {
        [] => {
            let listed = shown_all(all.iter().map(String::as_str));
            let detail = format!(
                "{} {listed} of `{authority}` is no known client",
                kind.as_str()
            );
            refused(Reason::CertificateUnknown, detail)
        }
        [(name, client)] => Ok(Identified {
            identity: Identity {
                kind,
                name: (*name).clone(),
            },
            tenant: client.and_then(|client| client.tenant.clone()),
            scopes: client.and_then(|client| client.scopes.clone()),
        }),
        several => {
            let listed = shown_all(several.iter().map(|(name, _)| name.as_str()));
            let detail = format!("{} {listed} could each be the client", kind.as_str());
            refused(Reason::CertificateAmbiguous, detail)
        }
    }
}

fn of_kind(names: &Names, kind: NameKind) -> Vec<Option<&String>> {
    match kind {
        NameKind::Uri => names.uris.iter().map(Some).collect(),
        NameKind::Dns => names.dns.iter().map(Some).collect(),
        NameKind::Email => names.emails.iter().map(Some).collect(),
        NameKind::CommonName if names.alternative => Vec::new(),
        NameKind::CommonName => names.common.iter().map(Option::as_ref).collect(),
    }
}
