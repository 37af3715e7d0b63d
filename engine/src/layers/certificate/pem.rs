//! One block of PEM (RFC 7468), read strictly: what stands around it, or a second block, is refused.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The longest text of a certificate, in bytes. The gateway takes no keys that need more.
pub(super) const MAX_CERTIFICATE: usize = 32 * 1024;

/// The bytes of the one block labelled `label` in `text`.
pub(super) fn decode(text: &str, label: &str) -> Result<Vec<u8>, &'static str> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let inner = text
        .trim()
        .strip_prefix(begin.as_str())
        .and_then(|rest| rest.strip_suffix(end.as_str()))
        .ok_or("not one block of PEM with the right label")?;
    let inner: String = inner.split_ascii_whitespace().collect();
    STANDARD
        .decode(inner)
        .map_err(|_| "not one block of base64 between the lines of PEM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_everything_but_one_block() {
        let good = "-----BEGIN X-----\nAQID\n-----END X-----\n";
        assert_eq!(decode(good, "X"), Ok(vec![1, 2, 3]));
        assert_eq!(decode(&good.replace('\n', "\r\n"), "X"), Ok(vec![1, 2, 3]));
        for bad in [
            "",
            "AQID",
            "-----BEGIN X-----\nAQID\n",
            "-----BEGIN Y-----\nAQID\n-----END Y-----",
            "-----BEGIN X-----\nAQID\n-----END X-----\n-----BEGIN X-----\nAQID\n-----END X-----",
            "text\n-----BEGIN X-----\nAQID\n-----END X-----",
            "-----BEGIN X-----\nA-_D\n-----END X-----",
            "-----BEGIN X-----\nAQIDB\n-----END X-----",
        ] {
            assert!(decode(bad, "X").is_err(), "{bad}");
        }
    }
}
