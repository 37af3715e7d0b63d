//! What can be asked about blocks of tokens.

use doorward_keys::{BlockId, Target, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    check::MAX_REASON_CHARS,
    fields::{Check, shown},
};

/// The longest text that names a token, a subject or a client, in characters.
const MAX_VALUE: usize = 1024;
/// The longest life of a block: 366 days.
const MAX_SECONDS: i64 = 366 * 86_400;

/// End tokens before they expire: those of `issuer` that one of the other fields names.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockTokens {
    /// `iss` of the tokens, exactly; one of the configuration.
    pub issuer: String,
    /// The token with this `jti`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::CLAIM)))]
    pub jti: Option<String>,
    /// The tokens of the login with this `origin_jti`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::CLAIM)))]
    pub origin_jti: Option<String>,
    /// The tokens of this subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::CLAIM)))]
    pub subject: Option<String>,
    /// The tokens of this OAuth client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::CLAIM)))]
    pub client: Option<String>,
    /// All tokens of the issuer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Leave tokens alone that were issued (`iat`) at this time or later, in seconds since the epoch. Not with `jti`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0)))]
    pub issued_before: Option<i64>,
    /// How long the block counts, in seconds: 1 to 31622400 (366 days). At least as long as the tokens live.
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = MAX_SECONDS)))]
    pub expires_in_seconds: i64,
    /// Why, for the audit: at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::REASON)))]
    pub reason: Option<String>,
}

/// Take a block back before its end.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnblockTokens {
    /// The block.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::BLOCK_ID)))]
    pub id: String,
    /// Why, for the audit: at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::REASON)))]
    pub reason: Option<String>,
}

/// Show blocks, or their changes.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListBlocks {
    /// How many at most: 1 to 100, 25 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = super::check::MAX_LIMIT)))]
    pub limit: Option<u32>,
    /// From the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::CURSOR)))]
    pub cursor: Option<String>,
}

/// What a new block shall end, and until when.
pub(crate) struct Wanted {
    pub(crate) target: Target,
    pub(crate) issued_before: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
}

/// What `asked` ends, for issuers that are configured.
pub(crate) fn check_block(
    asked: &BlockTokens,
    issuers: &[String],
    now: Timestamp,
    check: &mut Check,
) -> Option<Wanted> {
    if !issuers.contains(&asked.issuer) {
        let found = shown(&asked.issuer);
        let known = match issuers {
            [] => "none".to_owned(),
            known => format!("`{}`", known.join("`, `")),
        };
        let message = format!("is `{found}`, expected an issuer of the configuration: {known}");
        check.add("issuer", message);
    }
    if let Some(reason) = &asked.reason {
        check.people("reason", reason, MAX_REASON_CHARS);
    }
    let max = MAX_SECONDS;
    if !(1..=max).contains(&asked.expires_in_seconds) {
        let found = asked.expires_in_seconds;
        let message = format!("is {found}, expected 1 to {max}");
        check.add("expiresInSeconds", message);
    }
    if let Some(time) = asked.issued_before.filter(|time| *time < 0) {
        let message = format!("is {time}, expected a time in seconds since 1970");
        check.add("issuedBefore", message);
    }
    if asked.issued_before.is_some() && asked.jti.is_some() {
        let message = "has no meaning for one token; leave it out";
        check.add("issuedBefore", message);
    }
    Some(Wanted {
        target: target(asked, check)?,
        issued_before: asked.issued_before.map(Timestamp::from_unix),
        expires_at: now.plus(asked.expires_in_seconds),
    })
}

/// The one that is named, of the five ways to name tokens.
fn target(asked: &BlockTokens, check: &mut Check) -> Option<Target> {
    type Make = fn(String) -> Target;
    let ways: [(&str, &Option<String>, Make); 4] = [
        ("jti", &asked.jti, Target::Jti),
        ("originJti", &asked.origin_jti, Target::OriginJti),
        ("subject", &asked.subject, Target::Subject),
        ("client", &asked.client, Target::Client),
    ];
    let mut targets: Vec<Target> = asked.all.then_some(Target::Issuer).into_iter().collect();
    for (field, value, make) in ways {
        let Some(value) = value else { continue };
        // The engine accepts no other texts in these claims.
        if !(1..=MAX_VALUE).contains(&value.chars().count()) || value.chars().any(char::is_control)
        {
            let message = format!("must be 1 to {MAX_VALUE} characters without control characters");
            check.add(field, message);
        }
        targets.push(make(value.clone()));
    }
    let only = (targets.len() == 1).then(|| targets.pop()).flatten();
    if only.is_none() {
        let message =
            "name the tokens by exactly one of `jti`, `originJti`, `subject`, `client` and `all`";
        check.add("", message);
    }
    only
}

/// Which block.
pub(crate) fn check_block_ref(asked: &UnblockTokens, check: &mut Check) -> Option<BlockId> {
    if let Some(reason) = &asked.reason {
        check.people("reason", reason, MAX_REASON_CHARS);
    }
    let id = BlockId::parse(&asked.id);
    if id.is_none() {
        let found = shown(&asked.id);
        let message = format!("is `{found}`, expected `blk_` and 26 digits and capitals");
        check.add("id", message);
    }
    id
}
