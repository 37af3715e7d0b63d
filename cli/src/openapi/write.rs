//! The configuration as TOML, with comments for people.

use std::{collections::BTreeSet, fmt::Write as _};

use toml::Value;

use super::{
    document::Doc,
    routes::Imported,
    security::{Opening, Scheme, Schemes},
};

/// Headers that may carry a key without being named.
const ALWAYS_READ: &str = "authorization";

pub(super) fn toml(
    document: &Doc,
    schemes: &Schemes,
    routes: &[Imported],
    notes: &[String],
) -> String {
    let info = |name: &str| {
        let info = document.member("info").and_then(|info| info.member(name));
        info.and_then(Doc::text).unwrap_or_default().to_owned()
    };
    let mut toml = String::new();
    comment(
        &mut toml,
        &format!(
            "Imported from OpenAPI: {} {}",
            info("title"),
            info("version")
        ),
    );
    for note in notes {
        comment(&mut toml, &format!("- {note}"));
    }
    let accepts = |word: &str| {
        let mut words = routes.iter().flat_map(|route| &route.opening.credentials);
        words.any(|words| words.split(" + ").any(|one| one == word))
    };
    if accepts("api_key") {
        api_keys(&mut toml, schemes);
    }
    if accepts("jwt") {
        issuers(&mut toml, schemes);
    }
    for route in routes {
        self::route(&mut toml, route);
    }
    toml
}

fn api_keys(toml: &mut String, schemes: &Schemes) {
    let headers: BTreeSet<&String> = schemes
        .iter()
        .filter_map(|scheme| match scheme {
            Scheme::KeyInHeader(name) if name != ALWAYS_READ => Some(name),
            _ => None,
        })
        .collect();
    let parameter = schemes.iter().find_map(|scheme| match scheme {
        Scheme::KeyInQuery(name) => Some(name),
        _ => None,
    });
    toml.push_str("\n[api_keys]\n");
    comment(
        toml,
        "replace: the first word of your keys, and the environments that are accepted here",
    );
    toml.push_str("prefix = \"ck\"\nenvironments = [\"live\"]\n");
    if !headers.is_empty() {
        let _ = writeln!(toml, "headers = {}", list(headers));
    }
    if let Some(parameter) = parameter {
        comment(
            toml,
            "query strings end up in logs; leave this out if you can",
        );
        let _ = writeln!(toml, "query_parameter = {}", text(parameter));
    }
}

fn issuers(toml: &mut String, schemes: &Schemes) {
    let named: BTreeSet<&String> = schemes
        .iter()
        .filter_map(|scheme| match scheme {
            Scheme::Token(issuer) => issuer.as_ref(),
            _ => None,
        })
        .collect();
    let unnamed = "https://issuer.invalid".to_owned();
    let issuers = if named.is_empty() {
        vec![&unnamed]
    } else {
        named.into_iter().collect()
    };
    for issuer in issuers {
        toml.push_str("\n[[issuers]]\n");
        comment(
            toml,
            "replace: the exact `iss` of your tokens, how they are signed, and the `aud` that names this API",
        );
        let _ = writeln!(toml, "issuer = {}", text(issuer));
        toml.push_str("algorithms = [\"RS256\"]\naudiences = [\"replace\"]\n");
    }
}

fn route(toml: &mut String, imported: &Imported) {
    toml.push_str("\n[[routes]]\n");
    for note in &imported.comments {
        comment(toml, note);
    }
    let _ = writeln!(toml, "route = {}", text(&imported.route));
    if let Some(name) = &imported.name {
        let _ = writeln!(toml, "name = {}", text(name));
    }
    let Opening {
        credentials,
        any_scope,
        all_scopes,
        ..
    } = &imported.opening;
    let _ = writeln!(toml, "credentials = {}", list(credentials));
    if !any_scope.is_empty() {
        let _ = writeln!(toml, "scopes = {{ any = {} }}", list(any_scope));
    } else if !all_scopes.is_empty() {
        let _ = writeln!(toml, "scopes = {}", list(all_scopes));
    }
}

fn text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|one| text(one)).collect();
    format!("[{}]", texts.join(", "))
}

/// One line: a document must not be able to write settings through its title.
fn comment(toml: &mut String, words: &str) {
    let line: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(toml, "# {}", line.trim());
}
