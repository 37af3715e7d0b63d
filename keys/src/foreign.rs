//! Keys that were made elsewhere: what they look like, and how those who made them kept them.
//!
//! A key of ours says itself that it is one. One from elsewhere does not, so it is told by simple facts: how it begins, how
//! long it is, which characters it has. What fits no form is refused without I/O; what fits one is looked up by its digest, as
//! keys of ours are, and then by what is left of it where the former system kept a hash.
//!
//! A former hash stands in the store as the digest that is made of it, so that a key imported by its hash is an
//! ordinary record. Once the key itself is shown, the record moves to its proper digest ([`rehash`](crate::rehash)).

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

use crate::{
    digest::{Digest, bytes_of_hex, hex},
    format::{FormatFault, KeyFormat},
    secret::Secret,
    time::Timestamp,
};

/// Which characters the keys of a form have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Hexadecimal digits of either case.
    Hex,
    /// Letters and digits of ASCII.
    Alphanumeric,
    /// Those, `-` and `_` (RFC 4648 section 5); UUIDs too.
    Base64Url,
    /// Letters, digits, `+`, `/` and `=` (RFC 4648 section 4).
    Base64,
}

impl Alphabet {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
        }
    }
}

/// The name of a hash that a former system kept in place of a key. Fast hashes will do, because keys are random and long; those
/// that were not made for security (such as the `MurmurHash` family) let anybody find a key that fits, so there is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashName {
    /// SHA-256 of the key (FIPS 180-4).
    Sha256,
    /// SHA-512 of the key (FIPS 180-4).
    Sha512,
    /// HMAC-SHA-256 of the key under a secret of the former system (RFC 2104).
    HmacSha256,
}

impl HashName {
    /// Every hash that is known.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha512, Self::HmacSha256];

    /// The word for it in configurations and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::HmacSha256 => "hmac-sha256",
        }
    }

    /// Reads what [`HashName::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// How many hexadecimal digits a hash has.
    pub const fn digits(self) -> usize {
        match self {
            Self::Sha256 | Self::HmacSha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// Under which digest a key is kept of which `hex` is the former hash, in hexadecimal of either case; `None` when that is
    /// not one.
    pub fn digest(self, hex: &str) -> Option<Digest> {
        if hex.len() != self.digits() {
            return None;
        }
        let bytes = bytes_of_hex(&hex.to_ascii_lowercase())?;
        Some(Digest::of_former(self.as_str(), &bytes))
    }

    /// Under which digest a key is kept of which the former hash is the very `digest` that a key of ours has without a pepper.
    pub(crate) fn of_plain(self, digest: &Digest) -> Digest {
        Digest::of_former(self.as_str(), digest.as_bytes())
    }
}

/// A hash with what it takes to make it.
#[derive(Clone, Debug)]
pub enum FormerHash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// HMAC-SHA-256 under this secret.
    HmacSha256(Secret<Vec<u8>>),
}

impl FormerHash {
    /// Its name.
    pub const fn name(&self) -> HashName {
        match self {
            Self::Sha256 => HashName::Sha256,
            Self::Sha512 => HashName::Sha512,
            Self::HmacSha256(_) => HashName::HmacSha256,
        }
    }

    /// Under which digest `printed` is kept where only its former hash is known.
    pub fn digest(&self, printed: &str) -> Digest {
        Digest::of_former(self.name().as_str(), &self.hash(printed))
    }

    fn hash(&self, printed: &str) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(printed.as_bytes()).to_vec(),
            Self::Sha512 => Sha512::digest(printed.as_bytes()).to_vec(),
            Self::HmacSha256(secret) => {
                // HMAC takes keys of any length (RFC 2104 section 2): this never ends in the hash of nothing, under which
                // nothing can be imported.
                let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else {
                    return vec![];
                };
                mac.update(printed.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
        }
    }
}

/// What the keys of one former system look like.
#[derive(Clone, Debug)]
pub struct ForeignForm {
    /// What it is called, for the log.
    pub name: String,
    /// What they begin with; may be empty.
    pub prefix: String,
    /// The fewest characters they have, the prefix included.
    pub min_length: usize,
    /// The most characters they have.
    pub max_length: usize,
    /// Which characters they have behind the prefix.
    pub alphabet: Alphabet,
    /// The hash by which keys may be kept that were imported without being known.
    pub former: Option<FormerHash>,
    /// From when on they are no longer looked at.
    pub until: Option<Timestamp>,
    /// Whether they may stand where tokens stand.
    pub as_bearer: bool,
}

impl ForeignForm {
    /// Whether `text` looks like one of these keys.
    pub fn fits(&self, text: &str) -> bool {
        (self.min_length..=self.max_length).contains(&text.len())
            && text
                .strip_prefix(self.prefix.as_str())
                .is_some_and(|rest| rest.bytes().all(|byte| self.alphabet.has(byte)))
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Under which digests a key may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// As a key of ours would be, the pepper in force first.
    pub own: Vec<Digest>,
    /// By former hashes; to be looked at where nothing is found before.
    pub former: Vec<Digest>,
}

impl Places {
    /// All of them, in the order in which they are looked at.
    pub fn iter(&self) -> impl Iterator<Item = &Digest> {
        self.own.iter().chain(&self.former)
    }
}

/// The forms of all former systems.
#[derive(Clone, Debug, Default)]
pub struct ForeignForms(Vec<ForeignForm>);

impl ForeignForms {
    /// These forms.
    pub const fn new(forms: Vec<ForeignForm>) -> Self {
        Self(forms)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &ForeignForm> {
        self.0.iter()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `text` is taken for a key where tokens stand too.
    pub fn own_bearer(&self, text: &str, now: Timestamp) -> bool {
        let mut forms = self.0.iter();
        forms.any(|form| form.as_bearer && form.is_open(now) && form.fits(text))
    }

    /// Under which digests `printed` may be kept, without I/O; `None` for a text that fits no form whose time is not over, and
    /// for one that begins as keys of ours do: it is never tried as another kind.
    pub fn places(&self, printed: &str, format: &KeyFormat, now: Timestamp) -> Option<Places> {
        if format.owns(printed) {
            return None;
        }
        let fitting = self.0.iter();
        let fitting: Vec<&ForeignForm> = fitting
            .filter(|form| form.is_open(now) && form.fits(printed))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let previous = format.previous_pepper.as_ref();
        let mut own = vec![Digest::of(printed, format.pepper.as_ref())];
        own.extend(previous.map(|pepper| Digest::of(printed, Some(pepper))));
        let mut former = Vec::new();
        for hash in fitting.iter().filter_map(|form| form.former.as_ref()) {
            let digest = hash.digest(printed);
            if !former.contains(&digest) {
                former.push(digest);
            }
        }
        Some(Places { own, former })
    }

    /// Under which digests a key may be kept, whether it is one of ours or from elsewhere: exactly one for a key of ours. The fault
    /// is that of `format` where it is neither.
    pub fn find(
        &self,
        printed: &str,
        format: &KeyFormat,
        now: Timestamp,
    ) -> Result<Places, FormatFault> {
        let own = || {
            format.parse(printed).map(|own| Places {
                own: vec![own],
                former: vec![],
            })
        };
        self.places(printed, format, now).map_or_else(own, Ok)
    }

    /// What former systems may have kept of `printed`, each hash with its name and in hexadecimal: of every form, whether it fits or
    /// not.
    pub fn former_hashes(&self, printed: &str) -> BTreeSet<(HashName, String)> {
        let former = self.0.iter().filter_map(|form| form.former.as_ref());
        former
            .map(|hash| (hash.name(), hex(&hash.hash(printed))))
            .collect()
    }

    /// The hashes by which keys may be kept.
    pub fn hashes(&self) -> BTreeSet<HashName> {
        let former = self.0.iter().filter_map(|form| form.former.as_ref());
        former.map(FormerHash::name).collect()
    }
}

#[cfg(test)]
mod tests;
