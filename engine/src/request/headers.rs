//! Headers, looked up without regard to case, with contradictions kept visible.

use std::ops::Range;

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
    /// Those of the multi-value map first, each map in its order.
    fields: Vec<Field>,
    /// How many are of the multi-value map.
    of_multi: usize,
}

/// Where one stands in the text.
#[derive(Debug)]
struct Field {
    name: usize,
    value: usize,
    end: usize,
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
            start
        };
        let fields = all().map(|(name, value)| Field {
            name: put(name),
            value: put(value),
            end: put(""),
        });
        Self {
            fields: fields.collect(),
            text: Secret::new(text),
            of_multi: multi.len(),
        }
    }

    /// Name and value.
    fn told(&self, field: &Field) -> (&str, &str) {
        let part = |range: Range<usize>| self.text.expose().get(range).unwrap_or_default();
        (part(field.name..field.value), part(field.value..field.end))
    }

    /// Those of `fields` that have this name, in any letter case (RFC 9110 section 5.1). A request has few headers, and few of them
    /// are asked for, so looking through all takes less than any order that they could be put in.
    fn named(&self, name: &str, fields: &[Field]) -> Vec<(&str, &str)> {
        let as_long = |field: &&Field| field.value.saturating_sub(field.name) == name.len();
        let told = fields.iter().filter(as_long).map(|field| self.told(field));
        told.filter(|(held, _)| held.eq_ignore_ascii_case(name))
            .collect()
    }

    /// The values of `name` in order; `None` where the event contradicts itself.
    fn values(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let maps = self.fields.split_at_checked(self.of_multi);
        let (multi, single) = maps.unwrap_or_default();
        let (many, ones) = (self.named(name, multi), self.named(name, single));
        let mut spellings = many.iter().chain(&ones).map(|(name, _)| name);
        let spelling = spellings.next();
        let is_one_spelling = spellings.all(|other| Some(other) == spelling);
        let is_nowhere = many.is_empty() && ones.is_empty();
        let agrees = multi.is_empty()
            || single.is_empty()
            || is_nowhere
            || !ones.is_empty() && ones.iter().all(|one| many.contains(one));
        let said = if multi.is_empty() { ones } else { many };
        (is_one_spelling && agrees).then(|| said.into_iter().map(|(_, value)| value))
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
