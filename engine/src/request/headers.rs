//! Headers, looked up without regard to case, with contradictions kept visible.

use std::{cmp::Ordering, ops::Range};

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

/// The headers of a request. Values are secrets: they print as nothing.
///
/// Joins the single-value and the multi-value map of an event. The gateway fills both or one of them, and its single-value
/// map keeps the last value of a repeated name. Where both are filled a name must stand in both, and its single value among
/// the others; otherwise the name is contradictory.
#[derive(Debug, Default)]
pub struct Headers {
    /// All names and values, one after the other.
    text: Secret<String>,
    /// By name without regard to case, in the order of the event for each.
    fields: Vec<Field>,
    has_single: bool,
    has_multi: bool,
}

#[derive(Debug)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
    is_multi: bool,
}

impl Headers {
    /// The headers of the single-value map of an event, and of its multi-value map, whose names come once with each value.
    pub fn from_maps(single: &[(&str, &str)], multi: &[(&str, &str)]) -> Self {
        let all = || multi.iter().chain(single);
        let bytes = all().map(|(name, value)| name.len().saturating_add(value.len()));
        let mut text = String::with_capacity(bytes.sum());
        let mut put = |part: &str| {
            let start = text.len();
            text.push_str(part);
            start..text.len()
        };
        let fields = all().enumerate().map(|(number, (name, value))| Field {
            name: put(name),
            value: put(value),
            is_multi: number < multi.len(),
        });
        let mut headers = Self {
            fields: fields.collect(),
            text: Secret::new(text),
            has_single: !single.is_empty(),
            has_multi: !multi.is_empty(),
        };
        let Self { text, fields, .. } = &mut headers;
        let name = |field: &Field| part(text.expose(), &field.name);
        fields.sort_by(|one, other| without_case(name(one), name(other)));
        headers
    }

    fn part(&self, range: &Range<usize>) -> &str {
        part(self.text.expose(), range)
    }

    /// All fields of `name`, in any letter case.
    fn of(&self, name: &str) -> &[Field] {
        let at = |field: &Field| {
            let by_length = field.name.len().cmp(&name.len());
            by_length.then_with(|| without_case(self.part(&field.name), name))
        };
        let begin = self.fields.partition_point(|field| at(field).is_lt());
        let rest = self.fields.get(begin..).unwrap_or_default();
        let length = rest.iter().take_while(|field| at(field).is_eq()).count();
        rest.get(..length).unwrap_or_default()
    }

    /// The values of `name` in order; `None` where the event contradicts itself.
    fn values(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let fields = self.of(name);
        let spelling = fields.first().map(|field| self.part(&field.name));
        let is_one_spelling = fields
            .iter()
            .all(|field| Some(self.part(&field.name)) == spelling);
        let of_map = |is_multi| {
            fields
                .iter()
                .filter(move |field| field.is_multi == is_multi)
        };
        let value = |field: &Field| self.part(&field.value);
        let agrees = fields.is_empty()
            || !(self.has_single && self.has_multi)
            || of_map(false).next().is_some()
                && of_map(false).all(|one| of_map(true).any(|held| value(held) == value(one)));
        (is_one_spelling && agrees)
            .then(|| of_map(self.has_multi).map(|field| self.part(&field.value)))
    }

    /// The one value of `name`, in any letter case.
    pub fn one(&self, name: &str) -> Lookup<'_> {
        let Some(mut values) = self.values(name) else {
            return Lookup::Conflict;
        };
        match (values.next(), values.next()) {
            (None, _) => Lookup::Absent,
            (Some(value), None) => Lookup::One(value),
            (Some(_), Some(_)) => Lookup::Conflict,
        }
    }

    /// All values of `name` in order, for headers that are lists; `None` when the event contradicts itself.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.values(name).map(Iterator::collect)
    }
}

fn part<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    text.get(range.clone()).unwrap_or_default()
}

/// An order of names without regard to the case of letters (RFC 9110 section 5.1); the shortest first.
fn without_case(one: &str, other: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    let by_bytes = || one.bytes().map(lower).cmp(other.bytes().map(lower));
    one.len().cmp(&other.len()).then_with(by_bytes)
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
        let headers = Headers::from_maps(&[("aUTHORIZATION", "x")], &[]);
        check(&headers, "Authorization", "one x");
        check(&headers, "cookie", "absent");
    }

    #[test]
    fn refuses_two_spellings_of_one_name() {
        check(
            &Headers::from_maps(&[("X-Api-Key", "a"), ("x-api-key", "a")], &[]),
            "x-api-key",
            "conflict",
        );
        check(
            &Headers::from_maps(&[("X-Api-Key", "a")], &[("x-api-key", "a")]),
            "x-api-key",
            "conflict",
        );
    }

    #[test]
    fn refuses_repeated_values_and_maps_that_disagree() {
        check(
            &Headers::from_maps(&[("A", "2")], &[("A", "1"), ("A", "2")]),
            "a",
            "conflict",
        );
        check(
            &Headers::from_maps(&[("A", "3")], &[("A", "1")]),
            "a",
            "conflict",
        );
        check(
            &Headers::from_maps(&[("A", "1")], &[("A", "1")]),
            "a",
            "one 1",
        );
    }

    #[test]
    fn refuses_a_name_that_only_one_of_two_maps_holds() {
        let only_single = Headers::from_maps(&[("A", "1"), ("B", "2")], &[("A", "1")]);
        check(&only_single, "a", "one 1");
        check(&only_single, "b", "conflict");
        let only_multi = Headers::from_maps(&[("A", "1")], &[("A", "1"), ("B", "2")]);
        check(&only_multi, "a", "one 1");
        check(&only_multi, "b", "conflict");
        assert_eq!(only_multi.list("b"), None);
    }

    #[test]
    fn takes_the_one_map_that_is_there() {
        let single = Headers::from_maps(&[("A", "1")], &[]);
        check(&single, "a", "one 1");
        let multi = Headers::from_maps(&[], &[("A", "1")]);
        check(&multi, "a", "one 1");
        check(&multi, "b", "absent");
    }

    /// Name for name what the headers of two maps say: the values, or that the event contradicts itself.
    fn told(single: &[(&str, &str)], multi: &[(&str, &str)], name: &str) -> Option<Vec<String>> {
        let of = |map: &[(&str, &str)]| -> Vec<(String, String)> {
            let of_name = map.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            of_name
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect()
        };
        let (one, many) = (of(single), of(multi));
        let spellings: std::collections::BTreeSet<_> = one
            .iter()
            .chain(&many)
            .map(|(name, _)| name.clone())
            .collect();
        let both = !single.is_empty() && !multi.is_empty();
        let is_among = |value: &String| many.iter().any(|(_, other)| other == value);
        let nowhere = one.is_empty() && many.is_empty();
        let agree = nowhere || !one.is_empty() && one.iter().all(|(_, value)| is_among(value));
        let said = if multi.is_empty() { one } else { many };
        (spellings.len() < 2 && (!both || agree))
            .then(|| said.into_iter().map(|(_, value)| value).collect())
    }

    proptest::proptest! {
        #[test]
        fn finds_what_stands_in_the_maps(
            single in proptest::collection::vec(("[aAbBé]{0,2}", "[xy]"), 0..5),
            multi in proptest::collection::vec(("[aAbBé]{0,2}", "[xy]"), 0..5),
            name in "[aAbBé]{0,2}",
        ) {
            fn lent(map: &[(String, String)]) -> Vec<(&str, &str)> {
                map.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
            }
            let (single, multi) = (lent(&single), lent(&multi));
            let headers = Headers::from_maps(&single, &multi);
            let expected = told(&single, &multi, &name);
            let list = headers.list(&name);
            let list = list.map(|all| all.into_iter().map(str::to_owned).collect::<Vec<_>>());
            proptest::prop_assert_eq!(&list, &expected);
            let one = match (headers.one(&name), expected.as_deref()) {
                (Lookup::One(found), Some([value])) => found == value,
                (Lookup::Absent, Some([])) | (Lookup::Conflict, None | Some([_, _, ..])) => true,
                _ => false,
            };
            proptest::prop_assert!(one);
        }
    }

    #[test]
    fn prints_no_value() {
        assert!(!format!("{:?}", Headers::from_maps(&[("A", "hidden")], &[])).contains("hidden"));
    }
}
