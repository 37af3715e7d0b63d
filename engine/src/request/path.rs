//! Paths in one spelling.
//!
//! Servers disagree on how a path with escapes, doubled slashes or dot segments is to be read, and most decode before they
//! route. So that no spelling can slip past a rule, two paths that any of them could take for the same are the same here,
//! and what cannot be read in one way is refused:
//!
//! 1. A path begins with `/` and has at most [`MAX_PATH_BYTES`] bytes, before and after.
//! 2. Escapes of characters that may stand in a segment as they are (RFC 3986 section 3.3, `pchar`) are decoded. This goes
//!    beyond the unreserved characters of section 6.2.2.2: `%40me` and `@me` are the same to a server that decodes first.
//!    All other characters are escaped, in upper case (section 6.2.2.1), over their UTF-8 bytes.
//! 3. Runs of slashes are one slash, then dot segments are resolved (section 5.2.4), then one trailing slash is dropped.
//! 4. Refused, as a [`PathFault`]: encoded slashes, backslashes in any form, `%25` (a second round of decoding would find
//!    another path), control characters in any form, escapes that are not two hexadecimal digits or not UTF-8, and `;`
//!    (path parameters, RFC 3986 section 3.3: some servers cut them off before they match).
//! 5. Letter case is significant.

use std::fmt;

/// The longest path, in bytes: the gateway answers 414 for a method ARN of more than 1,600 bytes (AWS: *Output from an API
/// Gateway Lambda authorizer*).
pub const MAX_PATH_BYTES: usize = 1600;

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathFault {
    /// It does not begin with a slash.
    #[error("the path does not begin with `/`")]
    Relative,
    /// It is longer than [`MAX_PATH_BYTES`].
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// It holds `%2F`.
    #[error("the path holds an encoded slash")]
    EncodedSlash,
    /// It holds a backslash, raw or encoded.
    #[error("the path holds a backslash")]
    Backslash,
    /// It holds `%25`.
    #[error("the path holds an encoded percent sign")]
    DoubleEscape,
    /// It holds a control character, raw or encoded.
    #[error("the path holds a control character")]
    Control,
    /// It holds `%` without two hexadecimal digits, or escapes that are not UTF-8.
    #[error("the path holds an escape that cannot be read")]
    InvalidEscape,
    /// It holds `;`.
    #[error("the path holds a path parameter (`;`)")]
    PathParameter,
}

/// A path in its one spelling: `/`, or segments that are not empty, each with one slash before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NormalPath(String);

impl NormalPath {
    /// Normalises `raw`.
    ///
    /// # Errors
    /// The first [`PathFault`] found.
    pub fn parse(raw: &str) -> Result<Self, PathFault> {
        if raw.len() > MAX_PATH_BYTES {
            return Err(PathFault::TooLong);
        }
        let Some(rest) = raw.strip_prefix('/') else {
            return Err(PathFault::Relative);
        };
        if is_normal(raw) {
            return Ok(Self(raw.to_owned()));
        }
        Self::rewritten(rest)
    }

    /// Normalises what stands behind the first slash.
    fn rewritten(rest: &str) -> Result<Self, PathFault> {
        let mut kept: Vec<String> = Vec::new();
        for segment in rest.split('/').filter(|segment| !segment.is_empty()) {
            let segment = normal_segment(segment)?;
            match segment.as_str() {
                "." => {}
                ".." => drop(kept.pop()),
                _ => kept.push(segment),
            }
        }
        let path = format!("/{}", kept.join("/"));
        if path.len() > MAX_PATH_BYTES {
            return Err(PathFault::TooLong);
        }
        Ok(Self(path))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `count` segments, when there are more than that.
    pub(crate) fn before(&self, count: usize) -> Option<&str> {
        if self.0 == "/" {
            return None;
        }
        let (end, _) = self.0.match_indices('/').nth(count)?;
        self.0.get(..end.max(1))
    }

    /// The segments, none of them empty; nothing for `/`.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a path that begins with a slash is written as [`NormalPath::parse`] would write it. May say no where the answer is yes.
fn is_normal(path: &str) -> bool {
    let is_plain = path.bytes().all(|byte| byte == b'/' || is_plain(byte));
    let mut pairs = path.as_bytes().windows(2);
    // A segment that is empty or begins with a dot is looked at by itself.
    let is_resolved = pairs.all(|pair| !matches!(pair, [b'/', b'/' | b'.']));
    is_plain && is_resolved && (path.len() == 1 || !path.ends_with('/'))
}

fn normal_segment(raw: &str) -> Result<String, PathFault> {
    let mut bytes = raw.bytes();
    let mut decoded = Vec::with_capacity(raw.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => decoded.push(escaped(bytes.next(), bytes.next())?),
            b';' => return Err(PathFault::PathParameter),
            b'\\' => return Err(PathFault::Backslash),
            byte if byte.is_ascii_control() => return Err(PathFault::Control),
            byte => decoded.push(byte),
        }
    }
    // Overlong forms such as `%C0%AF` are other spellings of a slash to lax decoders, and no UTF-8 (RFC 3629 section 3).
    let decoded = String::from_utf8(decoded).map_err(|_| PathFault::InvalidEscape)?;
    let mut segment = String::with_capacity(raw.len());
    for byte in decoded.bytes() {
        if is_plain(byte) {
            segment.push(char::from(byte));
        } else {
            segment.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    Ok(segment)
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Result<u8, PathFault> {
    let value = |digit: Option<u8>| digit.and_then(|b| char::from(b).to_digit(16));
    let byte = value(high)
        .zip(value(low))
        .and_then(|(high, low)| u8::try_from(high << 4 | low).ok())
        .ok_or(PathFault::InvalidEscape)?;
    match byte {
        b'/' => Err(PathFault::EncodedSlash),
        b'\\' => Err(PathFault::Backslash),
        b'%' => Err(PathFault::DoubleEscape),
        byte if byte.is_ascii_control() => Err(PathFault::Control),
        byte => Ok(byte),
    }
}

/// Whether `byte` stands in a normal path as itself: `pchar` without escapes and `;`.
pub(crate) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests;
