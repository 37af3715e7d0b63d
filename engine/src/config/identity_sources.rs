//! Where credentials may stand, in the words of the gateway: its cache must tell requests apart by all of it.
//!
//! The key of a cached answer is the values of the identity sources (AWS: API Gateway, Lambda authorizers). Where a route
//! takes two credentials together and one of their places is missing there, the answer to both serves whoever has one of
//! them. Where one credential may stand in several places the gateway answers 401 to requests that lack one of the sources,
//! without asking the authorizer. A header that says of which issuer an opaque token is decides as the token does, so it is
//! one of them. With everything in `Authorization` there is nothing to say.

use super::{TokensConfig, faults::Faults, problems::Problem};
use crate::{
    layers::api_key::ApiKeysConfig,
    routes::{Kind, Place, Route},
};

/// Where credentials may stand.
pub(super) struct Places<'a> {
    pub(super) api_keys: Option<&'a ApiKeysConfig>,
    /// Whether the headers of keys are named, and so meant to be used; the default is there for whoever needs it.
    pub(super) named_headers: bool,
    pub(super) tokens: &'a TokensConfig,
}

/// One identity source.
enum Source<'a> {
    Header(&'a str),
    Query(&'a str),
}

/// Warns where more than one identity source is needed, and names them. WebSocket and AppSync have no such cache.
pub(super) fn warn(places: &Places<'_>, routes: &[Route], faults: &mut Faults) {
    let of_http = |route: &&Route| matches!(route.place, Place::Http(..));
    let combinations = || routes.iter().filter(of_http).flat_map(|r| &r.credentials);
    let takes = |kind| combinations().any(|kinds| kinds.contains(&kind));
    let together = routes
        .iter()
        .position(|route| of_http(&route) && route.credentials.iter().any(|kinds| sent(kinds) > 1));
    let keys = places.api_keys.filter(|_| takes(Kind::ApiKey));
    let tokens = Some(places.tokens).filter(|_| takes(Kind::Jwt) || takes(Kind::Opaque));
    let of_headers = keys.filter(|_| places.named_headers || together.is_some());
    let of_headers = of_headers.map_or(&[][..], |keys| &keys.headers);
    let key_parameter = keys.and_then(|keys| keys.query_parameter.as_deref());
    let token_parameter = tokens.and_then(|tokens| tokens.query_parameter.as_deref());
    let cookie = tokens.and_then(|tokens| tokens.cookie.as_deref());
    let issuer = tokens.filter(|_| takes(Kind::Opaque));
    let issuer = issuer.and_then(|tokens| tokens.issuer_header.as_deref());

    let mut sources = vec![Source::Header("authorization")];
    sources.extend(of_headers.iter().map(|name| Source::Header(name)));
    sources.extend(issuer.map(Source::Header));
    sources.extend(cookie.map(|_| Source::Header("cookie")));
    sources.extend(key_parameter.map(Source::Query));
    sources.extend(token_parameter.map(Source::Query));
    if sources.len() < 2 {
        return;
    }
    let path = match together {
        Some(index) => format!("routes[{index}].credentials"),
        None if !of_headers.is_empty() => "api_keys.headers".to_owned(),
        None if key_parameter.is_some() => "api_keys.query_parameter".to_owned(),
        None if token_parameter.is_some() => "tokens.query_parameter".to_owned(),
        None if issuer.is_some() => "tokens.issuer_header".to_owned(),
        None => "tokens.cookie".to_owned(),
    };
    let rest = named(&sources, Source::of_rest);
    let http = named(&sources, Source::of_http);
    faults.warning(&path, Problem::IdentitySources { rest, http });
}

/// How many of them are sent in the request. Of certificates the configuration warns apart.
fn sent(kinds: &[Kind]) -> usize {
    let sent = |kind: &&Kind| !matches!(kind, Kind::Certificate);
    kinds.iter().filter(sent).count()
}

impl Source<'_> {
    /// As REST APIs name it.
    fn of_rest(&self) -> String {
        match self {
            Self::Header(name) => format!("method.request.header.{}", title(name)),
            Self::Query(name) => format!("method.request.querystring.{name}"),
        }
    }

    /// As HTTP APIs name it.
    fn of_http(&self) -> String {
        match self {
            Self::Header("authorization") => "$request.header.Authorization".to_owned(),
            Self::Header(name) => format!("$request.header.{name}"),
            Self::Query(name) => format!("$request.querystring.{name}"),
        }
    }
}

/// All of them, for people.
fn named<'a>(sources: &[Source<'a>], name: impl Fn(&Source<'a>) -> String) -> String {
    let names = sources.iter().map(|source| format!("`{}`", name(source)));
    names.collect::<Vec<_>>().join(", ")
}

/// `X-Api-Key` for `x-api-key`.
fn title(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut rest = word.chars();
        let first = rest.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(rest).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigEnv};

    const KEYS: &str = "prefix = 'ck'\nenvironments = ['live']";
    const ISSUER: &str =
        "[[issuers]]\nissuer = 'https://i.example'\nalgorithms = ['ES256']\naudiences = ['a']\n";

    #[track_caller]
    fn check(
        keys: &str,
        tokens: &str,
        route: &str,
        credentials: &str,
        expected: Option<(&str, &str)>,
    ) {
        let text = format!(
            "[api_keys]\n{KEYS}\n{keys}\n[tokens]\n{tokens}\n{ISSUER}\
             [[routes]]\nroute = 'GET /other'\ncredentials = ['jwt', 'api_key']\n\
             [[routes]]\nroute = '{route}'\ncredentials = [{credentials}]\n"
        );
        let env = ConfigEnv {
            read_file: &|_| Err("no files".to_owned()),
            secret: &|_| Err("no secrets".to_owned()),
        };
        let checked = Config::read(&text, "t", &env).unwrap();
        let told: Vec<_> = checked
            .warnings
            .iter()
            .filter(|w| w.code == "identity_sources")
            .collect();
        match expected {
            None => assert!(told.is_empty(), "{text} {told:?}"),
            Some((path, sources)) => {
                assert_eq!(told.len(), 1, "{text} {told:?}");
                assert_eq!(told[0].path, path);
                assert!(told[0].message.contains(sources), "{}", told[0].message);
            }
        }
    }

    #[test]
    fn says_nothing_where_everything_stands_in_authorization() {
        check("", "", "GET /x", "'jwt', 'api_key'", None);
        check("headers = []", "", "GET /x", "'api_key'", None);
        // Neither has a cache that goes by identity sources.
        check("", "", "$connect", "'api_key + jwt'", None);
        check("", "", "$graphql", "'api_key + jwt'", None);
    }

    #[test]
    fn names_both_places_of_two_credentials_that_are_needed_together() {
        let both = "REST: `method.request.header.Authorization`, `method.request.header.X-Api-Key`; \
                    HTTP: `$request.header.Authorization`, `$request.header.x-api-key`";
        check(
            "",
            "",
            "GET /x",
            "'api_key + jwt'",
            Some(("routes[1].credentials", both)),
        );
    }

    #[test]
    fn names_every_place_that_is_meant_to_be_used() {
        let header = Some((
            "api_keys.headers",
            "REST: `method.request.header.Authorization`, `method.request.header.My-Key`;",
        ));
        check("headers = ['My-Key']", "", "GET /x", "'jwt'", header);
        let query = Some((
            "api_keys.query_parameter",
            "`$request.header.Authorization`, `$request.querystring.key`)",
        ));
        check("query_parameter = 'key'", "", "GET /x", "'jwt'", query);
        let token = Some((
            "tokens.query_parameter",
            "`method.request.querystring.token`",
        ));
        check("", "query_parameter = 'token'", "GET /x", "'jwt'", token);
        let cookie = Some((
            "tokens.cookie",
            "`method.request.header.Cookie`; HTTP: `$request.header.Authorization`, `$request.header.cookie`",
        ));
        check("", "cookie = 'session'", "GET /x", "'jwt'", cookie);
    }
}
