//! From `securitySchemes` and `security` to credentials and scopes.
//!
//! A security requirement is a list of alternatives; each names schemes that are all needed, with their scopes
//! (`OpenAPI` 3.1, section 4.8.30). What cannot be said here is narrowed or left out, never widened.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Doc;

/// What a scheme means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// An API key in this header.
    KeyInHeader(String),
    /// An API key in this query parameter.
    KeyInQuery(String),
    /// A token, of this issuer where the document says so.
    Token(Option<String>),
    /// Nothing that is known here, and what it is.
    Unknown(String),
}

/// The schemes of a document, by name.
#[derive(Debug)]
pub(super) struct Schemes(BTreeMap<String, Scheme>);

/// What opens one route.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Opening {
    /// `credentials`, in the words of the configuration.
    pub(super) credentials: Vec<String>,
    /// At least one of these scopes.
    pub(super) any_scope: BTreeSet<String>,
    /// Every one of these scopes.
    pub(super) all_scopes: BTreeSet<String>,
    /// What had to be changed or left out.
    pub(super) notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative {
    words: &'static str,
    scopes: BTreeSet<String>,
}

impl Schemes {
    pub(super) fn of(document: &Doc) -> Self {
        let schemes = document
            .member("components")
            .and_then(|components| components.member("securitySchemes"));
        let named = schemes.into_iter().flat_map(Doc::members);
        let read = named.map(|(name, value)| {
            let scheme = document.resolve(value).map_or_else(
                || Scheme::Unknown("a reference that leads nowhere".to_owned()),
                scheme,
            );
            (name.clone(), scheme)
        });
        Self(read.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.0.values()
    }

    /// What opens a route with the requirement `security`; `Err` when nothing in it can be said here.
    pub(super) fn opening(&self, security: &Doc) -> Result<Opening, String> {
        let mut opening = Opening::default();
        let mut alternatives: Vec<Alternative> = vec![];
        let Doc::List(requirements) = security else {
            return Err("its `security` is not a list of requirements".to_owned());
        };
        let mut is_anonymous = requirements.is_empty();
        for requirement in requirements {
            if matches!(requirement, Doc::Map(members) if members.is_empty()) {
                is_anonymous = true;
                continue;
            }
            match self.alternative(requirement) {
                Ok(alternative) if alternatives.contains(&alternative) => {}
                Ok(alternative) => alternatives.push(alternative),
                Err(why) => opening
                    .notes
                    .push(format!("an alternative is left out: {why}")),
            }
        }
        for alternative in &alternatives {
            if !opening
                .credentials
                .iter()
                .any(|words| words == alternative.words)
            {
                opening.credentials.push(alternative.words.to_owned());
            }
        }
        if is_anonymous {
            opening.credentials.push("anonymous".to_owned());
            if alternatives
                .iter()
                .any(|alternative| !alternative.scopes.is_empty())
            {
                let note =
                    "scopes are left out, because callers without credentials are let in too";
                opening.notes.push(note.to_owned());
            }
            return Ok(opening);
        }
        if opening.credentials.is_empty() {
            return Err(opening.notes.join("; "));
        }
        opening.demand(&alternatives);
        Ok(opening)
    }

    fn alternative(&self, requirement: &Doc) -> Result<Alternative, String> {
        let Doc::Map(members) = requirement else {
            return Err("it is not a map from schemes to scopes".to_owned());
        };
        let mut has_key = false;
        let mut has_token = false;
        let mut scopes = BTreeSet::new();
        for (name, named_scopes) in members {
            match self.0.get(name) {
                Some(Scheme::KeyInHeader(_) | Scheme::KeyInQuery(_)) => has_key = true,
                Some(Scheme::Token(_)) => has_token = true,
                Some(Scheme::Unknown(what)) => return Err(format!("`{name}` is {what}")),
                None => return Err(format!("`{name}` is not among the security schemes")),
            }
            let Doc::List(named_scopes) = named_scopes else {
                return Err(format!("the scopes of `{name}` are not a list"));
            };
            for scope in named_scopes {
                match scope.text() {
                    Some(scope) if is_scope(scope) => {
                        scopes.insert(scope.to_owned());
                    }
                    _ => {
                        return Err(format!(
                            "`{name}` names a scope that is none (RFC 6749 section 3.3)"
                        ));
                    }
                }
            }
        }
        let words = match (has_key, has_token) {
            (true, true) => "api_key + jwt",
            (true, false) => "api_key",
            (false, _) => "jwt",
        };
        Ok(Alternative { words, scopes })
    }
}

impl Opening {
    /// The scopes that every alternative needs, or a stricter demand where the alternatives differ.
    fn demand(&mut self, alternatives: &[Alternative]) {
        let Some(first) = alternatives.first() else {
            return;
        };
        if alternatives
            .iter()
            .all(|other| other.scopes == first.scopes)
        {
            self.all_scopes.clone_from(&first.scopes);
            return;
        }
        // One scope each, whatever carries it: any of them opens the route.
        if alternatives.iter().all(|other| other.scopes.len() == 1) && self.credentials.len() == 1 {
            self.any_scope = alternatives
                .iter()
                .flat_map(|other| other.scopes.clone())
                .collect();
            return;
        }
        self.all_scopes = alternatives
            .iter()
            .flat_map(|other| other.scopes.clone())
            .collect();
        let note = "the alternatives need different scopes, which one route cannot say: all of them are needed here, whatever the credential";
        self.notes.push(note.to_owned());
    }
}

fn scheme(value: &Doc) -> Scheme {
    let text = |name: &str| value.member(name).and_then(Doc::text).unwrap_or_default();
    match text("type") {
        "apiKey" => {
            // Header names have no letter case; those of parameters have.
            let name = match text("in") {
                "header" => text("name").to_ascii_lowercase(),
                _ => text("name").to_owned(),
            };
            api_key(text("in"), &name, text("x-amazon-apigateway-authtype"))
        }
        "http" if text("scheme").eq_ignore_ascii_case("bearer") => Scheme::Token(None),
        "http" => Scheme::Unknown(format!(
            "HTTP authentication by `{}`, which is not known here",
            text("scheme")
        )),
        "oauth2" => Scheme::Token(None),
        "openIdConnect" => {
            let url = text("openIdConnectUrl");
            let issuer = url.strip_suffix("/.well-known/openid-configuration");
            Scheme::Token(issuer.filter(|issuer| is_issuer(issuer)).map(str::to_owned))
        }
        "mutualTLS" => {
            Scheme::Unknown("a client certificate, which routes cannot demand yet".to_owned())
        }
        other => Scheme::Unknown(format!("of the type `{other}`, which is not known here")),
    }
}

/// API Gateway writes its authorizers as API keys in the header `Authorization`, and says what they are in an extension
/// (AWS: API Gateway, `x-amazon-apigateway-authtype`).
fn api_key(place: &str, name: &str, authorizer: &str) -> Scheme {
    match (place, authorizer) {
        ("header", "cognito_user_pools") => Scheme::Token(None),
        (_, "awsSigv4") => {
            Scheme::Unknown("a signature of AWS, which the gateway checks itself".to_owned())
        }
        ("header", _) if is_name(name) && !matches!(name, "cookie" | "host") => {
            Scheme::KeyInHeader(name.to_owned())
        }
        ("query", _) if is_name(name) => Scheme::KeyInQuery(name.to_owned()),
        ("header" | "query", _) => Scheme::Unknown(format!(
            "an API key under the name `{name}`, which is not read here"
        )),
        (place, _) => Scheme::Unknown(format!("an API key in a `{place}`, which is not read here")),
    }
}

/// A name that stands for itself in a header and in a query string alike.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// An https address on a host name, without anything that hides or changes it.
fn is_issuer(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    host.starts_with(|c: char| c.is_ascii_alphabetic())
        && rest.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'/' | b':')
        })
}

/// RFC 6749 section 3.3, `scope-token`.
fn is_scope(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
