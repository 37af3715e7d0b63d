//! What goes into `Authorization`, and what is made of it.

use std::{collections::HashSet, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{exit::Failure, input};

/// A scheme and a key or a token. No `Debug`: it is a secret.
pub(super) struct Credential {
    header: String,
    /// See [`respelled`].
    respelled: Option<[String; 2]>,
}

impl Credential {
    /// What the file at `path` holds. A key or a token without a scheme gets the one of its form.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = input::read(path)?;
        let text = std::str::from_utf8(&text).unwrap_or_default().trim();
        let is_one_line =
            !text.is_empty() && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if !is_one_line {
            let name = path.display();
            return Err(Failure::usage(format!(
                "`{name}` does not hold one credential in one line"
            )));
        }
        let header = if text.contains(' ') {
            text.to_owned()
        } else if text.matches('.').count() == 2 {
            format!("Bearer {text}")
        } else {
            format!("ApiKey {text}")
        };
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(Failure::unavailable)?;
        Ok(Self {
            respelled: respelled(&header, u64::from_be_bytes(random)),
            header,
        })
    }

    /// The value of the header.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// The same with its scheme in other letters, in two ways: the same credential to whoever reads it (RFC 9110 section 11.1), and
    /// another entry to a cache that keeps answers under the header. `None` where there are no three letters.
    pub(super) const fn respelled(&self) -> Option<&[String; 2]> {
        self.respelled.as_ref()
    }

    /// The key or the token alone.
    pub(super) fn bare(&self) -> &str {
        self.header.rsplit(' ').next().unwrap_or_default()
    }

    /// The same with the last character but one changed: the last one of a signature may hold no more than unused bits.
    pub(super) fn changed(&self) -> String {
        let mut characters: Vec<char> = self.header.chars().collect();
        let at = characters.len().saturating_sub(2);
        if let Some(character) = characters.get_mut(at) {
            *character = if *character == 'A' { 'B' } else { 'A' };
        }
        characters.into_iter().collect()
    }

    /// `exp` of a token. Nothing is verified: the stage does.
    pub(super) fn end(&self) -> Option<i64> {
        let payload = URL_SAFE_NO_PAD
            .decode(self.bare().split('.').nth(1)?)
            .ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        claims.get("exp")?.as_i64()
    }
}

/// A header with its scheme in upper and lower case as `random` says, in two ways that are not the way it was. Chosen anew each
/// time, so that what a gateway kept of the last time is not what answers.
fn respelled(header: &str, random: u64) -> Option<[String; 2]> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.bytes().all(|b| b.is_ascii_alphabetic()) || scheme.len() < 3 {
        return None;
    }
    let mut taken = HashSet::from([scheme.to_owned()]);
    // Three letters have eight spellings, so that sixteen steps come by two that are new.
    let mut found = (0..16_u64).filter_map(|step| {
        let mask = random.wrapping_add(step);
        let letters = scheme.chars().enumerate().map(|(at, letter)| {
            if (mask >> (at % 64)) & 1 == 1 {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            }
        });
        let spelled: String = letters.collect();
        let is_new = taken.insert(spelled.clone());
        is_new.then(|| format!("{spelled} {rest}"))
    });
    Some([found.next()?, found.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(header: &str) -> Credential {
        Credential {
            respelled: None,
            header: header.to_owned(),
        }
    }

    #[test]
    fn a_changed_credential_is_another_one() {
        let changed = |text: &str| credential(text).changed();
        assert_eq!(changed("Bearer aAb"), "Bearer aBb");
        assert_eq!(changed("x"), "A");
        assert_eq!(changed(""), "");
    }

    #[test]
    fn another_spelling_is_the_same_credential() {
        for scheme in ["Bearer", "ApiKey", "DPoP", "abc"] {
            let header = format!("{scheme} aAb.C");
            for random in 0..256 {
                let [one, other] = respelled(&header, random).unwrap();
                assert_ne!(one, other);
                for spelled in [one, other] {
                    assert_ne!(spelled, header);
                    let (its_scheme, rest) = spelled.split_once(' ').unwrap();
                    assert!(its_scheme.eq_ignore_ascii_case(scheme));
                    assert_eq!(rest, "aAb.C");
                }
            }
        }
        assert_eq!(respelled("x y", 0), None);
        assert_eq!(respelled("x", 0), None);
    }
}
