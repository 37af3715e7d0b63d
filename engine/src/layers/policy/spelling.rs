//! Denies for other spellings of a path.
//!
//! The engine matches normal paths; IAM compares the text that the client sent. Where an Allow has a wildcard, a path in
//! another spelling could be covered by it although its normal form is refused. These globs stop every such spelling. A
//! path in the plain spelling, which is what clients send, meets none of them.

use std::collections::BTreeSet;

/// What [`crate::request::path`] refuses or reads as another path: doubled slashes, dot segments, path parameters, and
/// escapes of dots, slashes, backslashes, percent signs and controls.
const OTHER_SPELLINGS: [&str; 18] = [
    "*//*", "*/.", "*/..", "*/./*", "*/../*", "*%2e*", "*%2E*", "*;*", "*\\*", "*%2f*", "*%2F*",
    "*%5c*", "*%5C*", "*%25*", "*%0?*", "*%1?*", "*%7f*", "*%7F*",
];

/// A slash at the end of anything but the root.
const SLASH_AT_THE_END: &str = "*/?*/";

/// The Denies for other spellings that a policy needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Spellings {
    wild: bool,
    slash_at_the_end: bool,
    /// Characters of literals that must not stand there as escapes.
    plain: BTreeSet<u8>,
}

impl Spellings {
    /// What an Allow needs that has a wildcard (`wild`), must not pass with a slash at the end, and beside which literals
    /// with these bytes are stricter.
    pub(super) fn new(wild: bool, slash_at_the_end: bool, literal_bytes: &[u8]) -> Self {
        Self {
            wild,
            slash_at_the_end,
            plain: literal_bytes.iter().copied().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.wild && !self.slash_at_the_end && self.plain.is_empty()
    }

    /// What is not in `other`.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self {
            wild: self.wild && !other.wild,
            slash_at_the_end: self.slash_at_the_end && !other.slash_at_the_end,
            plain: self.plain.difference(&other.plain).copied().collect(),
        }
    }

    /// Takes `other` in.
    pub(super) fn join(&mut self, other: &Self) {
        self.wild |= other.wild;
        self.slash_at_the_end |= other.slash_at_the_end;
        self.plain.extend(&other.plain);
    }

    /// The globs.
    pub(super) fn globs(&self) -> impl Iterator<Item = String> + '_ {
        let wild = OTHER_SPELLINGS.iter().filter(|_| self.wild);
        let slash = self.slash_at_the_end.then_some(&SLASH_AT_THE_END);
        let fixed = wild.chain(slash).map(|glob| (*glob).to_owned());
        fixed.chain(self.plain.iter().flat_map(|byte| escaped(*byte)))
    }
}

/// The globs for paths in which `byte` is escaped, in either case of the digits.
fn escaped(byte: u8) -> impl Iterator<Item = String> {
    let upper = format!("*%{byte:02X}*");
    let lower = format!("*%{byte:02x}*");
    let other = (upper != lower).then_some(lower);
    std::iter::once(upper).chain(other)
}
