//! What a route accepts: combinations of credentials, and anonymous callers by name only.

use super::Configured;
use crate::{
    config::{
        faults::Faults,
        problems::Problem,
        values::{hint, shown},
    },
    routes::Kind,
};

const WORDS: [&str; 5] = ["jwt", "opaque", "api_key", "certificate", "anonymous"];

/// The credentials of one route, checked.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub(super) combinations: Vec<Vec<Kind>>,
    pub(super) anonymous: bool,
}

impl Accepted {
    pub(super) fn check(
        raw: Option<Vec<String>>,
        path: &str,
        configured: &Configured,
        faults: &mut Faults,
    ) -> Self {
        let mut accepted = Self::default();
        match raw {
            None => {
                let what = "name what opens the route, such as `[\"jwt\"]`, or `[\"anonymous\"]` for everybody";
                faults.problem(path, Problem::Missing { what });
            }
            Some(list) if list.is_empty() => {
                let what = "credential";
                let otherwise = "; `[\"anonymous\"]` lets everybody in";
                faults.problem(path, Problem::Empty { what, otherwise });
            }
            Some(list) => {
                for (index, text) in list.iter().enumerate() {
                    accepted.add(text, &format!("{path}[{index}]"), configured, faults);
                }
            }
        }
        accepted
    }

    /// Whether an API key alone opens the route.
    pub(super) fn takes_key_alone(&self) -> bool {
        self.combinations
            .iter()
            .any(|kinds| kinds == &[Kind::ApiKey])
    }

    fn add(&mut self, text: &str, path: &str, configured: &Configured, faults: &mut Faults) {
        let words: Vec<&str> = text.split('+').map(str::trim).collect();
        if words == ["anonymous"] {
            if self.anonymous {
                let value = shown(text);
                faults.problem(path, Problem::Repeated { value });
            }
            self.anonymous = true;
            return;
        }
        let mut kinds = vec![];
        for word in words {
            match word {
                "jwt" => kinds.push(Kind::Jwt),
                "opaque" => kinds.push(Kind::Opaque),
                "api_key" => kinds.push(Kind::ApiKey),
                "certificate" => kinds.push(Kind::Certificate),
                "anonymous" => return faults.problem(path, Problem::AnonymousJoined),
                _ => {
                    let hint = hint(word, WORDS);
                    let found = shown(text);
                    return faults.problem(path, Problem::CredentialUnknown { found, hint });
                }
            }
        }
        for (kind, needs) in super::NEEDS {
            if kinds.contains(&kind) && !configured.has(kind) {
                let found = kind.as_str();
                faults.problem(path, Problem::CredentialUnconfigured { found, needs });
            }
        }
        if kinds.contains(&Kind::Jwt) && kinds.contains(&Kind::Opaque) {
            faults.problem(path, Problem::TokensJoined);
            return;
        }
        kinds.sort_unstable();
        let has_twice = kinds
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a == b));
        if has_twice || self.combinations.contains(&kinds) {
            let value = shown(text);
            faults.problem(path, Problem::Repeated { value });
            return;
        }
        self.combinations.push(kinds);
    }
}
