//! Names that nobody else has: randomness is read here only.

use std::fmt::Write as _;

/// 32 hexadecimal digits that no other call brings, in any process.
pub fn fresh() -> String {
    let mut bytes = [0_u8; 16];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        // The generator seeds itself from the system and does not fail once that is up. What two processes name alike then
        // is counted once in place of twice at worst.
        bytes = crate::clock::since_epoch().as_nanos().to_be_bytes();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_comes_again() {
        let (one, other) = (fresh(), fresh());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
