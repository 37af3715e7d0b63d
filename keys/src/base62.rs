//! Base62: digits, then upper case, then lower case, the most significant first and zero-padded.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many characters 256 bits take: 62^43 is just above 2^256.
pub(crate) const LEN_256: usize = 43;
/// How many characters 32 bits take.
pub(crate) const LEN_32: usize = 6;

/// 256 bits as 43 characters.
pub(crate) fn encode_256(mut number: [u8; 32]) -> String {
    let mut digits = [0_u8; LEN_256];
    // Long division of the big-endian number by 62, once for each character, the least significant first.
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let dividend = (remainder << 8) | u32::from(*byte);
            // INVARIANT: remainder < 62, so dividend < 62 * 256 and the mask changes nothing.
            *byte = ((dividend / 62) & 0xff) as u8;
            remainder = dividend % 62;
        }
        *digit = character(remainder);
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// 32 bits as 6 characters.
pub(crate) fn encode_32(mut number: u32) -> [u8; LEN_32] {
    let mut digits = [b'0'; LEN_32];
    for digit in digits.iter_mut().rev() {
        *digit = character(number % 62);
        number /= 62;
    }
    digits
}

fn character(value: u32) -> u8 {
    // INVARIANT: callers pass a remainder of a division by 62.
    ALPHABET.get(value as usize).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(text: &str) -> [u8; 32] {
        let mut number = [0_u8; 32];
        for character in text.bytes() {
            let value = ALPHABET.iter().position(|known| *known == character);
            let mut carry = u32::try_from(value.unwrap()).unwrap();
            for byte in number.iter_mut().rev() {
                let value = u32::from(*byte) * 62 + carry;
                *byte = (value & 0xff) as u8;
                carry = value >> 8;
            }
            assert_eq!(carry, 0, "more than 256 bits");
        }
        number
    }

    #[test]
    fn the_ends_of_the_range_are_padded_and_fit() {
        assert_eq!(encode_256([0; 32]), "0".repeat(43));
        assert_eq!(decode(&encode_256([255; 32])), [255; 32]);
        assert_eq!(&encode_32(0), b"000000");
        assert_eq!(&encode_32(61), b"00000z");
        assert_eq!(&encode_32(u32::MAX), b"4gfFC3");
    }

    proptest! {
        #[test]
        fn no_two_numbers_share_a_text(number in any::<[u8; 32]>()) {
            let text = encode_256(number);
            prop_assert_eq!(text.len(), LEN_256);
            prop_assert_eq!(decode(&text), number);
        }
    }
}
