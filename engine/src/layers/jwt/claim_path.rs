//! Where a claim stands: its own name, or a way through nested objects.

use std::fmt;

use super::json::{Object, Value};

/// The names from the outer object to the claim; never empty, and no name is empty.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// Reads a path written as text: names with dots between them, a name with dots of its own in double quotes. Text
    /// with `://` in it and without quotes is one name, because claims are often named by an address
    /// (RFC 7519 section 4.2).
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") && !text.contains('"') {
            return Self::from_names(vec![text.to_owned()]);
        }
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let after = if let Some(quoted) = rest.strip_prefix('"') {
                let (name, after) = quoted
                    .split_once('"')
                    .ok_or("a double quote is not closed")?;
                names.push(name.to_owned());
                after
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                if name.contains('"') {
                    return Err("a double quote stands inside a name");
                }
                names.push(name.to_owned());
                after
            };
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Self::from_names(names),
                None => return Err("after a quoted name comes a dot or nothing"),
            }
        }
    }

    /// Takes the names one by one.
    pub(super) fn from_names(names: Vec<String>) -> Result<Self, &'static str> {
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err("a name is empty");
        }
        Ok(Self(names))
    }

    /// A claim at the top, by its name.
    pub(super) fn top(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The last name.
    pub(super) fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The claim; `None` when it, or an object on the way, is absent.
    pub(super) fn find<'o, 't>(&self, claims: &'o Object<'t>) -> Option<&'o Value<'t>> {
        let (last, way) = self.0.split_last()?;
        let mut object = claims;
        for name in way {
            object = match object.get(name)? {
                Value::Object(inner) => inner,
                _ => return None,
            };
        }
        object.get(last)
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, names: &[&str]) {
        assert_eq!(ClaimPath::parse(text).unwrap().0, names, "{text}");
    }

    #[test]
    fn reads_names_with_dots_quotes_and_addresses() {
        check("scope", &["scope"]);
        check("cognito:groups", &["cognito:groups"]);
        check("realm_access.roles", &["realm_access", "roles"]);
        check(
            r#"resource_access."my.api".roles"#,
            &["resource_access", "my.api", "roles"],
        );
        check(
            "https://acme.example/roles",
            &["https://acme.example/roles"],
        );
        check(
            r#""https://acme.example/app".roles"#,
            &["https://acme.example/app", "roles"],
        );
    }

    #[test]
    fn refuses_empty_names_and_loose_quotes() {
        for text in [
            "", ".", "a.", ".a", "a..b", r#""a"#, r#"a"b""#, r#""a"b"#, r#""""#,
        ] {
            assert!(ClaimPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn finds_nested_claims_only_through_objects() {
        let claims = Object::document(br#"{"a":{"b":1},"a.b":2,"c":[{"b":3}],"n":null}"#).unwrap();
        let find = |text: &str| ClaimPath::parse(text).unwrap().find(&claims).cloned();
        assert_eq!(find("a.b"), Some(Value::Number(1.into())));
        assert_eq!(find(r#""a.b""#), Some(Value::Number(2.into())));
        assert_eq!(find("c.b"), None);
        assert_eq!(find("a.x"), None);
        assert_eq!(find("n"), Some(Value::Null));
    }
}
