//! Headers, looked up without regard to case, with contradictions kept visible.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use doorward_keys::Secret;

/// What a header lookup finds.
#[derive(Debug)]
pub enum Lookup<'a> {
    /// No such header.
    Absent,
    /// Exactly one value.
    One(&'a str),
    /// Several values, two spellings of the name, or two maps of the event that disagree (RFC 9110 section 5.3).
    Conflict,
}

#[derive(Debug, Default)]
struct Entry {
    spelling: String,
    values: Vec<Secret<String>>,
    spellings_differ: bool,
    maps_disagree: bool,
}

/// The headers of a request. Values are secrets: they print as nothing.
#[derive(Debug, Default)]
pub struct Headers(BTreeMap<String, Entry>);

impl Headers {
    /// Joins the single-value and the multi-value map of an event. The gateway fills both or one of them, and its
    /// single-value map keeps the last value of a repeated name. Where both are filled a name must stand in both, and its
    /// single value among the others; otherwise the name is contradictory.
    pub fn from_maps<'a>(
        single: impl IntoIterator<Item = (&'a str, &'a str)>,
        multi: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> Self {
        let mut headers = Self::default();
        for (name, values) in multi.into_iter().filter(|(_, values)| !values.is_empty()) {
            let values = values.into_iter();
            let entry = headers.entry(name);
            entry
                .values
                .extend(values.map(|value| Secret::new(value.to_owned())));
        }
        let has_multi = !headers.0.is_empty();
        let mut in_single = BTreeSet::new();
        for (name, value) in single {
            in_single.insert(name.to_ascii_lowercase());
            let entry = headers.entry(name);
            if !has_multi {
                entry.values.push(Secret::new(value.to_owned()));
            } else if !entry.values.iter().any(|held| held.expose() == value) {
                entry.maps_disagree = true;
            }
        }
        if !in_single.is_empty() {
            for (name, entry) in &mut headers.0 {
                entry.maps_disagree |= !in_single.contains(name);
            }
        }
        headers
    }

    fn entry(&mut self, name: &str) -> &mut Entry {
        let entry = self.0.entry(name.to_ascii_lowercase()).or_default();
        if entry.spelling.is_empty() {
            name.clone_into(&mut entry.spelling);
        } else if entry.spelling != name {
            entry.spellings_differ = true;
        }
        entry
    }

    /// The one value of `name`, in any letter case.
    pub fn one(&self, name: &str) -> Lookup<'_> {
        match self.0.get(&*lower_case(name)) {
            None => Lookup::Absent,
            Some(entry) if entry.spellings_differ || entry.maps_disagree => Lookup::Conflict,
            Some(entry) => match entry.values.as_slice() {
                [] => Lookup::Absent,
                [value] => Lookup::One(value.expose()),
                _ => Lookup::Conflict,
            },
        }
    }

    /// All values of `name` in order, for headers that are lists; `None` when the event contradicts itself.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        match self.0.get(&*lower_case(name)) {
            None => Some(Vec::new()),
            Some(entry) if entry.spellings_differ || entry.maps_disagree => None,
            Some(entry) => Some(
                entry
                    .values
                    .iter()
                    .map(|value| value.expose().as_str())
                    .collect(),
            ),
        }
    }
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &Headers, name: &str, expected: &str) {
        let found = match headers.one(name) {
            Lookup::Absent => "absent".to_owned(),
            Lookup::One(value) => format!("one {value}"),
            Lookup::Conflict => "conflict".to_owned(),
        };
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn looks_names_up_in_any_case() {
        let headers = Headers::from_maps([("aUTHORIZATION", "x")], []);
        check(&headers, "Authorization", "one x");
        check(&headers, "cookie", "absent");
    }

    #[test]
    fn refuses_two_spellings_of_one_name() {
        check(
            &Headers::from_maps([("X-Api-Key", "a"), ("x-api-key", "a")], []),
            "x-api-key",
            "conflict",
        );
        check(
            &Headers::from_maps([("X-Api-Key", "a")], [("x-api-key", vec!["a"])]),
            "x-api-key",
            "conflict",
        );
    }

    #[test]
    fn refuses_repeated_values_and_maps_that_disagree() {
        check(
            &Headers::from_maps([("A", "2")], [("A", vec!["1", "2"])]),
            "a",
            "conflict",
        );
        check(
            &Headers::from_maps([("A", "3")], [("A", vec!["1"])]),
            "a",
            "conflict",
        );
        check(
            &Headers::from_maps([("A", "1")], [("A", vec!["1"])]),
            "a",
            "one 1",
        );
    }

    #[test]
    fn refuses_a_name_that_only_one_of_two_maps_holds() {
        let only_single = Headers::from_maps([("A", "1"), ("B", "2")], [("A", vec!["1"])]);
        check(&only_single, "a", "one 1");
        check(&only_single, "b", "conflict");
        let only_multi = Headers::from_maps([("A", "1")], [("A", vec!["1"]), ("B", vec!["2"])]);
        check(&only_multi, "a", "one 1");
        check(&only_multi, "b", "conflict");
        assert_eq!(only_multi.list("b"), None);
    }

    #[test]
    fn takes_the_one_map_that_is_there() {
        let single = Headers::from_maps([("A", "1")], []);
        check(&single, "a", "one 1");
        let multi = Headers::from_maps([], [("A", vec!["1"]), ("B", vec![])]);
        check(&multi, "a", "one 1");
        check(&multi, "b", "absent");
    }

    #[test]
    fn prints_no_value() {
        assert!(!format!("{:?}", Headers::from_maps([("A", "hidden")], [])).contains("hidden"));
    }
}
