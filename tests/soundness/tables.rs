//! Random tables in which overlaps are common, and random paths near them.

use proptest::prelude::*;

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => Just("a"), 2 => Just("bc"), 1 => Just("a.~"), 3 => Just("{x}")];
    let pieces = proptest::collection::vec(piece, 0..5);
    (pieces, prop::bool::weighted(0.2)).prop_map(|(pieces, open)| {
        let mut text = String::new();
        for (i, piece) in pieces.iter().enumerate() {
            text.push('/');
            text.push_str(&piece.replace('x', &format!("x{i}")));
        }
        if open {
            text.push_str("/{p+}");
        }
        if text.is_empty() {
            "/".to_owned()
        } else {
            text
        }
    })
}

pub(crate) const VERBS: [&str; 5] = ["GET", "HEAD", "POST", "ANY", "DELETE"];
pub(crate) const LISTS: [&[&str]; 3] = [&[], &["10.0.0.0/8"], &["10.0.0.0/16", "192.0.2.0/24"]];

/// One route of a random table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) template: String,
    pub(crate) verb: usize,
    pub(crate) permitted: bool,
    pub(crate) allow: usize,
    pub(crate) deny: usize,
    /// Only from [`crate::world::LATER`] on.
    pub(crate) later: bool,
}

pub(crate) fn row() -> impl Strategy<Value = Row> {
    let lists = prop_oneof![6 => Just((0_usize, 0_usize)), 1 => Just((1, 0)), 1 => Just((2, 0)), 1 => Just((0, 1))];
    let later = prop::bool::weighted(0.2);
    (
        template(),
        0..4_usize,
        prop::bool::weighted(0.65),
        lists,
        later,
    )
        .prop_map(|(template, verb, permitted, (allow, deny), later)| Row {
            template,
            verb,
            permitted,
            allow,
            deny,
            later,
        })
}

/// Paths that lie near the templates: their own, longer and shorter ones, and other spellings.
fn paths() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => Just("a".to_owned()), 6 => Just("bc".to_owned()), 4 => Just("a.~".to_owned()), 4 => Just("z".to_owned()),
        1 => Just(".".to_owned()), 1 => Just("..".to_owned()), 1 => Just(String::new()), 1 => Just("A".to_owned()),
        1 => Just("%61".to_owned()), 1 => Just("b%63".to_owned()), 1 => Just("a%2e~".to_owned()), 1 => Just("a.%7E".to_owned()),
        1 => Just("a.%7e".to_owned()), 1 => Just("%2E%2e".to_owned()), 1 => Just("a;b".to_owned()), 1 => Just("a%2fbc".to_owned()),
        1 => Just("a%2Fbc".to_owned()), 1 => Just("a%5Cbc".to_owned()), 1 => Just("%2561".to_owned()), 1 => Just("a%00".to_owned()),
        1 => Just("*".to_owned()), 1 => Just("?".to_owned()), 1 => Just("a%40b".to_owned()), 1 => Just("\u{e9}".to_owned()),
        1 => Just("%c3%a9".to_owned()), 1 => Just("a\\bc".to_owned()), 1 => "[ -~&&[^%/\\\\]]{1,4}",
        1 => "(%[2-7][0-9a-fA-F]|[abc.~]){1,4}",
    ];
    proptest::collection::vec(word, 0..7).prop_map(|words| format!("/{}", words.join("/")))
}

/// A path made from a template, and what was done to it.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    row: usize,
    words: Vec<&'static str>,
    twist: usize,
    at: usize,
    extra: String,
}

pub(crate) fn probe() -> impl Strategy<Value = Probe> {
    let word = prop_oneof![
        6 => Just("z"), 2 => Just("a"), 2 => Just("bc"), 2 => Just("a.~"), 1 => Just("z/a"), 1 => Just("z/bc/z"),
        1 => Just("%62c"), 1 => Just("b%63"), 1 => Just("a@b"), 1 => Just("a%20b"), 1 => Just("..")
    ];
    let words = proptest::collection::vec(word, 6);
    (0..64_usize, words, 0..20_usize, 0..8_usize, paths()).prop_map(
        |(row, words, twist, at, extra)| Probe {
            row,
            words,
            twist,
            at,
            extra,
        },
    )
}

impl Probe {
    /// The path for a table of these rows.
    pub(crate) fn raw(&self, rows: &[Row]) -> String {
        let template = &rows[self.row % rows.len()].template;
        let mut words = self.words.iter();
        let mut segments: Vec<String> = template
            .split('/')
            .skip(1)
            .filter(|s| !s.is_empty())
            .map(|s| {
                if s.starts_with('{') {
                    (*words.next().unwrap_or(&"z")).to_owned()
                } else {
                    s.to_owned()
                }
            })
            .collect();
        let at = self.at % (segments.len() + 1);
        let escape = |text: &str, lower: bool| -> String {
            text.bytes()
                .map(|b| {
                    if lower {
                        format!("%{b:02x}")
                    } else {
                        format!("%{b:02X}")
                    }
                })
                .collect()
        };
        match self.twist {
            0..=8 => {}
            9 | 10 => segments.insert(at, self.words[5].to_owned()),
            11 => segments.push(String::new()),
            12 => segments.insert(at, String::new()),
            13 | 14 => segments
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|s| *s = escape(s, self.twist == 13)),
            15 => segments
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|s| *s = s.to_uppercase()),
            16 => drop(segments.pop()),
            17 => segments.insert(at, "x/..".to_owned()),
            18 => segments.insert(at, ".".to_owned()),
            _ => return self.extra.clone(),
        }
        format!("/{}", segments.join("/"))
    }
}
