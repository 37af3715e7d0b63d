//! The configuration of keys that were made elsewhere: as written, and checked.

use std::collections::BTreeSet;

use doorward_keys::{
    ForeignForm, ForeignForms, Timestamp,
    foreign::{Alphabet, FormerHash},
};
use serde::Deserialize;
use time::{Date, Time, macros::format_description};

use crate::config::{
    ConfigEnv, Faults, Problem, RawSecret,
    values::{Limits, shown},
};

/// Keys that were made elsewhere and brought here, such as those of another gateway: what they look like.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawImported {
    /// What the former system is called, such as `kong`. Required.
    name: Option<String>,
    /// What its keys begin with, where they all begin alike.
    prefix: Option<String>,
    /// The fewest characters of its keys, the prefix included. Required.
    #[cfg_attr(feature = "schema", schemars(range(min = LENGTH.min, max = LENGTH.max)))]
    min_length: Option<i64>,
    /// The most characters of its keys; without, as many as the fewest.
    #[cfg_attr(feature = "schema", schemars(range(min = LENGTH.min, max = LENGTH.max)))]
    max_length: Option<i64>,
    /// Which characters its keys have behind the prefix.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "alphanumeric")))]
    alphabet: Option<RawAlphabet>,
    /// The hash by which the former system knew its keys, where they were brought here by it. Costs a second read for a key that
    /// is not found otherwise; with its first use a key moves to a digest of ours.
    hash: Option<RawHash>,
    /// The secret of the former system, for `hash = "hmac-sha256"`: `env:NAME`, `ssm:/name` or `secretsmanager:name`.
    secret: Option<RawSecret>,
    /// The day, in UTC, from which these keys are no longer looked at, such as `2027-06-01`.
    until: Option<String>,
    /// Whether they may also stand in `Authorization: Bearer`, and wherever else tokens may stand. What looks like one of them is
    /// then never taken for an opaque token.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    bearer: Option<bool>,
}

/// Which characters keys have.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawAlphabet {
    /// Hexadecimal digits of either case.
    Hex,
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits, `-` and `_`; UUIDs too.
    Base64url,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
}

/// A hash that a former system kept of a key.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawHash {
    /// SHA-256 of the key.
    Sha256,
    /// SHA-512 of the key.
    Sha512,
    /// HMAC-SHA-256 of the key under a secret.
    HmacSha256,
}

/// Shorter keys can be guessed; longer ones are no keys.
const LENGTH: Limits = Limits {
    min: 16,
    max: 512,
    default: 16,
};
const MAX_PREFIX: usize = 32;

/// Checks all forms; `prefix` is the first word of keys of ours.
pub(super) fn check(
    raw: Option<Vec<RawImported>>,
    prefix: Option<&str>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> ForeignForms {
    let mut names = BTreeSet::new();
    let mut forms = vec![];
    for (index, raw) in raw.unwrap_or_default().into_iter().enumerate() {
        let path = format!("api_keys.imported[{index}]");
        if let Some(name) = &raw.name
            && !names.insert(name.clone())
        {
            let value = shown(name);
            faults.problem(format!("{path}.name"), Problem::Repeated { value });
        }
        forms.extend(raw.check(&path, prefix, env, faults));
    }
    ForeignForms::new(forms)
}

impl RawImported {
    fn check(
        self,
        path: &str,
        own: Option<&str>,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<ForeignForm> {
        let of = |setting: &str| format!("{path}.{setting}");
        let name = self.name.clone().or_else(|| {
            let what = "name the former system, such as `kong`";
            faults.problem(path, Problem::Missing { what });
            None
        });
        if let Some(name) = &name
            && !is_name(name)
        {
            let found = shown(name);
            faults.problem(of("name"), Problem::AuthorityName { found });
        }
        let prefix = self.prefix.clone().unwrap_or_default();
        let is_ours = own.is_some_and(|own| prefix.starts_with(&format!("{own}_")));
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if prefix.len() > MAX_PREFIX || !prefix.bytes().all(fits) || is_ours {
            let max = MAX_PREFIX;
            let found = shown(&prefix);
            faults.problem(of("prefix"), Problem::ImportedPrefix { max, found });
        }
        let (min_length, max_length) = self.lengths(path, faults)?;
        let former = self.former(path, env, faults);
        let until = self.until.as_deref().and_then(|text| {
            let until = midnight(text);
            if until.is_none() {
                let found = shown(text);
                faults.problem(of("until"), Problem::Day { found });
            }
            until
        });
        Some(ForeignForm {
            name: name?,
            prefix,
            min_length,
            max_length,
            alphabet: match self.alphabet {
                Some(RawAlphabet::Hex) => Alphabet::Hex,
                None | Some(RawAlphabet::Alphanumeric) => Alphabet::Alphanumeric,
                Some(RawAlphabet::Base64url) => Alphabet::Base64Url,
                Some(RawAlphabet::Base64) => Alphabet::Base64,
            },
            former,
            until,
            as_bearer: self.bearer.unwrap_or(false),
        })
    }

    fn lengths(&self, path: &str, faults: &mut Faults) -> Option<(usize, usize)> {
        if self.min_length.is_none() && !faults.is_replaced(&format!("{path}.min_length")) {
            let what = "name the fewest characters of the keys as `min_length`";
            faults.problem(path, Problem::Missing { what });
            return None;
        }
        let min = LENGTH.check(self.min_length, &format!("{path}.min_length"), faults);
        let of_max = format!("{path}.max_length");
        let max = match self.max_length {
            None => min,
            length => LENGTH.check(length, &of_max, faults),
        };
        if max < min {
            let other = "max_length";
            let found = min;
            let problem = Problem::AboveOther { other, max, found };
            faults.problem(format!("{path}.min_length"), problem);
        }
        Some((min as usize, max as usize))
    }

    fn former(&self, path: &str, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<FormerHash> {
        let of_secret = format!("{path}.secret");
        match (self.hash, &self.secret) {
            (Some(RawHash::HmacSha256), Some(secret)) => {
                let secret = secret.fetch(&of_secret, env, faults)?;
                let bytes = secret.expose().clone().into_bytes();
                Some(FormerHash::HmacSha256(doorward_keys::Secret::new(bytes)))
            }
            (Some(RawHash::HmacSha256), None) => {
                if !faults.is_replaced(&of_secret) {
                    let what = "name the `secret` under which the former system hashed its keys";
                    faults.problem(path, Problem::Missing { what });
                }
                None
            }
            (hash, secret) => {
                if secret.is_some() && !faults.is_replaced(&format!("{path}.hash")) {
                    faults.problem(of_secret, Problem::ImportedSecret);
                }
                match hash? {
                    RawHash::Sha512 => Some(FormerHash::Sha512),
                    RawHash::Sha256 | RawHash::HmacSha256 => Some(FormerHash::Sha256),
                }
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The beginning of a day such as `2027-06-01`, in UTC.
fn midnight(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    let at = date.with_time(Time::MIDNIGHT).assume_utc();
    Some(Timestamp::from_unix(at.unix_timestamp()))
}
