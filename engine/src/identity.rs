//! Evidence of who is calling. Fields are private to the engine: only the layers that verified something can build it.

mod known;
mod words;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use doorward_keys::{KeyRecord, Timestamp};

use crate::{
    layers::{certificate::Identity, proof::Confirmation},
    routes::{Kind, Route},
};

pub(crate) use known::Alone;
pub use known::Known;
pub(crate) use words::Words;

/// A client that proved itself by an API key: the key was found, is active and has not expired.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) record: Arc<Known<KeyRecord>>,
}

impl Client {
    /// The record of the key.
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }
}

/// A subject that proved itself by a token: signature or the word of the server, issuer, audience, times and profile hold.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "`sub` is the subject of the token; the field has its standard name"
)]
pub struct Subject {
    /// The configured name of the issuer.
    pub(crate) issuer_name: Arc<str>,
    /// `iss`, exactly.
    pub(crate) issuer: Arc<str>,
    /// `sub`, exactly; for a token without a user, the client id.
    pub(crate) subject: String,
    /// Whether the token speaks for the client itself: no user behind it (RFC 9700 section 4.15).
    pub(crate) is_client: bool,
    /// The OAuth client, where the token names it.
    pub(crate) client_id: Option<String>,
    /// The tenant, where a claim is configured for it.
    pub(crate) tenant: Option<String>,
    /// The scopes.
    pub(crate) scopes: Words,
    /// The roles.
    pub(crate) roles: Words,
    /// When the token stops working here: `exp` plus leeway.
    pub(crate) valid_until: Timestamp,
    /// `exp` itself.
    pub(crate) expires_at: Timestamp,
    /// What the token is bound to.
    pub(crate) confirmation: Option<Confirmation>,
    /// Mapped claims for the backend: context name to text.
    pub(crate) context: BTreeMap<String, String>,
    /// What a block may know the token by, beside issuer, subject and client.
    pub(crate) token: TokenFacts,
    /// How a server was asked, where one was; `None` for a JWT.
    pub(crate) introspected: Option<Introspected>,
}

/// What a token says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenFacts {
    /// `jti`.
    pub(crate) id: Option<String>,
    /// `origin_jti`: the login from which it comes.
    pub(crate) origin_id: Option<String>,
    /// `sub`, where another claim is configured for the subject.
    pub(crate) sub: Option<String>,
    /// `iat`.
    pub(crate) issued_at: Option<Timestamp>,
}

/// How an opaque token was checked, and so for which routes it is good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Introspected {
    /// Whether routes that name no server ask the one that was asked.
    pub(crate) by_request: bool,
    /// Whether the header that names the issuer was looked at, so that the token alone does not say who asked.
    pub(crate) by_header: bool,
    /// Whether it counts only because it was active a while ago and the server does not answer.
    pub(crate) is_recent: bool,
}

impl Subject {
    /// Who it is, unambiguously: kind, issuer and subject, joined by `|` with `|` and `%` escaped.
    pub fn principal(&self) -> String {
        let kind = if self.is_client { "client" } else { "user" };
        [
            kind,
            "|",
            &escape(&self.issuer),
            "|",
            &escape(&self.subject),
        ]
        .concat()
    }

    /// What kind of credential it proved itself by.
    pub const fn kind(&self) -> Kind {
        match self.introspected {
            None => Kind::Jwt,
            Some(_) => Kind::Opaque,
        }
    }

    /// The configured name of the issuer, or of the server that was asked.
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }
}

/// A client that proved itself by a certificate: issued by a known authority, in its time, not revoked, and with a name that
/// is accepted.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(crate) identity: Identity,
    /// The name of the authority in the configuration.
    pub(crate) authority: String,
    /// The subject, cleaned and cut for logs.
    pub(crate) subject: String,
    /// The serial number in hexadecimal, with `:` between the bytes.
    pub(crate) serial: String,
    /// When it stops working here.
    pub(crate) valid_until: Timestamp,
    pub(crate) tenant: Option<String>,
    /// The scopes that the configuration gives to it; `None` says nothing.
    pub(crate) scopes: Option<BTreeSet<String>>,
}

impl Certificate {
    /// Who it is, unambiguously: the authority and the name, joined by `|` with `|` and `%` escaped.
    pub fn principal(&self) -> String {
        let (authority, identity) = (escape(&self.authority), self.identity.to_string());
        format!("certificate|{authority}|{}", escape(&identity))
    }

    /// Subject and serial number, for the trail.
    pub(crate) fn told(&self) -> (String, String) {
        (self.subject.clone(), self.serial.clone())
    }

    /// The name and its kind.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The subject, cleaned and cut for logs.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The serial number in hexadecimal.
    pub fn serial(&self) -> &str {
        &self.serial
    }
}

/// Whoever passed the credential layers: a client, a subject, a certificate, several of them, or nobody at all.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub(crate) client: Option<Client>,
    pub(crate) subject: Option<Arc<Known<Subject>>>,
    pub(crate) certificate: Option<Box<Certificate>>,
}

impl Authenticated {
    /// The caller as `route` sees them: without the certificate where the route does not ask for it.
    pub(crate) fn on(&self, route: &Route) -> Cow<'_, Self> {
        if self.certificate.is_none() || route.names_certificate() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self {
            certificate: None,
            ..self.clone()
        })
    }

    /// The kinds of credentials that were verified.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + Clone + use<> {
        let key = self.client.as_ref().map(|_| Kind::ApiKey);
        let token = self.subject.as_ref().map(|subject| subject.kind());
        let certificate = self.certificate.as_ref().map(|_| Kind::Certificate);
        key.into_iter().chain(token).chain(certificate)
    }

    /// Whether one credential by itself said who it is.
    pub(crate) fn is_known_by_one_credential(&self) -> bool {
        let introspected = self.subject.as_ref().and_then(|s| s.introspected.as_ref());
        self.kinds().count() == 1 && !introspected.is_some_and(|checked| checked.by_header)
    }

    /// Who it is: the subject where there is one, else the key, else the certificate, else `anonymous`.
    pub fn principal(&self) -> Arc<str> {
        let written = || match (&self.subject, &self.client, &self.certificate) {
            (Some(subject), _, _) => subject.principal().into(),
            (None, Some(client), _) => format!("key|{}", client.record.id).into(),
            (None, None, Some(certificate)) => certificate.principal().into(),
            (None, None, None) => "anonymous".into(),
        };
        match self.alone() {
            Some(alone) => alone.principal(written),
            None => written(),
        }
    }

    /// What follows from the one credential, where there is no other and it was shown before.
    pub(crate) fn alone(&self) -> Option<&Alone> {
        match (&self.client, &self.subject, &self.certificate) {
            (Some(client), None, None) => client.record.alone(),
            (None, Some(subject), None) => subject.alone(),
            _ => None,
        }
    }

    /// The tenants that the credentials name, in the order in which they count: the key, the token, the certificate.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        let key = self.client.as_ref().map(|c| c.record.tenant.as_str());
        let token = self.subject.as_ref().and_then(|s| s.tenant.as_deref());
        let certificate = self.certificate.as_ref().and_then(|c| c.tenant.as_deref());
        key.into_iter().chain(token).chain(certificate)
    }

    /// When the earliest of the credentials stops working.
    pub fn valid_until(&self) -> Option<Timestamp> {
        let key = self
            .client
            .as_ref()
            .and_then(|client| client.record.expires_at);
        let token = self.subject.as_ref().map(|subject| subject.valid_until);
        let certificate = self.certificate.as_ref().map(|c| c.valid_until);
        key.into_iter().chain(token).chain(certificate).min()
    }

    /// Whether `scope` is one of [`Authenticated::scopes`].
    pub(crate) fn has_scope(&self, scope: &String) -> bool {
        let of_key = self
            .client
            .as_ref()
            .map(|c| c.record.scopes.contains(scope));
        let of_token = self.subject.as_ref().map(|s| s.scopes.contains(scope));
        let of_certificate = self.certificate.as_ref();
        let of_certificate = of_certificate.and_then(|c| Some(c.scopes.as_ref()?.contains(scope)));
        let all = of_key.into_iter().chain(of_token).chain(of_certificate);
        all.reduce(|left, right| left && right).unwrap_or(false)
    }

    /// What the caller may do: the scopes of the one credential, or what all have in common. A certificate to which the
    /// configuration gives no scopes takes none away.
    pub fn scopes(&self) -> BTreeSet<&str> {
        let of_key = self.client.as_ref().map(|c| {
            let scopes = c.record.scopes.iter();
            scopes.map(String::as_str).collect::<BTreeSet<_>>()
        });
        let of_token = self.subject.as_ref().map(|s| s.scopes.iter().collect());
        let of_certificate = self.certificate.as_ref().and_then(|c| {
            let scopes = c.scopes.as_ref()?.iter();
            Some(scopes.map(String::as_str).collect())
        });
        let all = of_key.into_iter().chain(of_token).chain(of_certificate);
        all.reduce(|left, right| left.intersection(&right).copied().collect())
            .unwrap_or_default()
    }

    /// [`Authenticated::scopes`] with spaces between them.
    pub(crate) fn scopes_joined(&self) -> String {
        match (&self.client, &self.subject, &self.certificate) {
            (None, Some(subject), None) => joined(subject.scopes.iter(), " "),
            _ => joined(self.scopes().into_iter(), " "),
        }
    }
}

/// These words in one text.
pub(crate) fn joined<'a>(mut words: impl Iterator<Item = &'a str>, separator: &str) -> String {
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        text.push_str(separator);
        text.push_str(word);
    }
    text
}

/// Joining with `|` stays unambiguous when no part holds one.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| matches!(byte, b'%' | b'|')) {
        text.replace('%', "%25").replace('|', "%7C").into()
    } else {
        text.into()
    }
}
