//! Denies for other spellings of a path.
//!
//! The engine matches normal paths; IAM compares the text that the client sent. Where an Allow has a wildcard, a path in
//! another spelling could be covered by it although its normal form is refused. These globs stop every such spelling. A
//! path in the plain spelling, which is what clients send, meets none of them.

/// What [`crate::request::path`] refuses or reads as another path: doubled slashes, dot segments, path parameters, and
/// escapes of dots, slashes, backslashes, percent signs and controls.
pub(super) const OTHER_SPELLINGS: [&str; 18] = [
    "*//*", "*/.", "*/..", "*/./*", "*/../*", "*%2e*", "*%2E*", "*;*", "*\\*", "*%2f*", "*%2F*",
    "*%5c*", "*%5C*", "*%25*", "*%0?*", "*%1?*", "*%7f*", "*%7F*",
];

/// A slash at the end of anything but the root.
pub(super) const SLASH_AT_THE_END: &str = "*/?*/";

/// The globs for paths in which `byte`, a character of a literal, is escaped.
pub(super) fn escaped(byte: u8) -> impl Iterator<Item = String> {
    let upper = format!("*%{byte:02X}*");
    let lower = format!("*%{byte:02x}*");
    let other = (upper != lower).then_some(lower);
    std::iter::once(upper).chain(other)
}
