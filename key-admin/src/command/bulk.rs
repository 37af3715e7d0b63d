//! Many keys at once: those made elsewhere, new ones, and lists of all.

use std::collections::{BTreeMap, BTreeSet};

use doorward_keys::{Digest, foreign::HashName, lifecycle::Draft};
use serde::{Deserialize, Serialize};

use super::{
    CreateKey, check_draft, check_list,
    fields::{Check, MAX_WORD, shown},
};
#[cfg(feature = "schema")]
use super::{check, fields, patterns};
use crate::admin::KeyPolicy;

/// The most keys of one command.
pub const MAX_MANY: usize = 100;
/// The most digests of one key.
const MAX_DIGESTS: usize = 10;

/// Bring a key from elsewhere, by its digest: the key itself is not asked for. Operators only. A key that is there already
/// stays as it is.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportKey {
    /// Owner: 1 to 128 printable characters of ASCII, no space at the ends.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub tenant: String,
    /// What people call it: 1 to 100 characters.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::NAME)))]
    pub name: String,
    /// One of the environments of the configuration.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "environment")))]
    pub environment: String,
    /// The digest of the whole key, 64 lower-case hexadecimal digits: SHA-256, or where a pepper is set, HMAC-SHA-256 under it
    /// of `doorward:key:` and the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::DIGEST)))]
    pub digest: Option<String>,
    /// What a former system kept of the key. Where there is no `digest`, the first one is what the key is known by; the
    /// configuration of the authorizer must know that hash. Demanded beside a `digest` under a pepper where the configuration
    /// has a form with a `hash`: a key that was brought by its hash and revoked would come back otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("maxItems" = MAX_DIGESTS)))]
    pub former: Vec<FormerDigest>,
    /// Whether nobody knows what a former system kept of the key, or none did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub former_unknown: bool,
    /// Other digests under which the same key may be here already, such as one of the pepper before. Nothing is imported under
    /// them from then on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("maxItems" = MAX_DIGESTS, "items" = {"type": "string", "pattern": patterns::DIGEST})))]
    pub other_digests: Vec<String>,
    /// What it may do (RFC 6749 section 3.3). None means no access to routes that demand scopes.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true, "maxItems" = fields::MAX_SCOPES, "items" = {"type": "string", "pattern": patterns::SCOPE})))]
    pub scopes: Vec<String>,
    /// The names of the routes it may use; absent means all that its scopes allow, empty means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true, "maxItems" = check::MAX_ROUTES, "items" = {"type": "string", "pattern": patterns::WORD})))]
    pub routes: Option<Vec<String>>,
    /// Addresses and CIDR ranges from which it may be used; absent means anywhere, empty means nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("maxItems" = fields::MAX_ADDRESSES, "items" = {"type": "string", "format": "ip-range"})))]
    pub addresses: Option<Vec<String>>,
    /// How long it lives from now on, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_DAYS)))]
    pub expires_in_days: Option<u32>,
    /// The value of a usage-plan key of the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub usage_plan_key: Option<String>,
    /// The name of a plan of the configuration, whose numbers its limits have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAN)))]
    pub plan: Option<String>,
    /// Facts for the context of the backend: at most 20.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = fields::MAX_METADATA, "propertyNames" = {"pattern": patterns::FACT_NAME}, "additionalProperties" = {"type": "string", "pattern": patterns::FACT})))]
    pub metadata: BTreeMap<String, String>,
    /// Whether it is switched off; it can be switched on later.
    #[serde(default)]
    pub disabled: bool,
}

/// What a former system kept of a key.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FormerDigest {
    /// `sha256`, `sha512` or `hmac-sha256`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = HashName::ALL.map(HashName::as_str))))]
    pub hash: String,
    /// The hash in hexadecimal.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::FORMER)))]
    pub value: String,
}

/// Bring many keys from elsewhere; each succeeds or fails by itself.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportMany {
    /// The keys: 1 to 100.
    #[cfg_attr(feature = "schema", schemars(extend("minItems" = 1, "maxItems" = MAX_MANY)))]
    pub keys: Vec<ImportKey>,
}

/// Make many keys; each succeeds or fails by itself. Give each an idempotency key, so that the command can be repeated.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateMany {
    /// The keys: 1 to 100.
    #[cfg_attr(feature = "schema", schemars(extend("minItems" = 1, "maxItems" = MAX_MANY)))]
    pub keys: Vec<CreateKey>,
}

/// Show the keys of a tenant as they can be imported elsewhere: without secrets, which nobody knows.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExportKeys {
    /// Owner.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::PLAIN)))]
    pub tenant: String,
    /// How many at most: 1 to 100, 25 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_LIMIT)))]
    pub limit: Option<u32>,
    /// From the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::CURSOR)))]
    pub cursor: Option<String>,
    /// Whether digests are shown too. Operators only.
    #[serde(default)]
    pub with_digests: bool,
}

/// A key to be imported, and under which digests it is known.
pub(crate) struct Arrival {
    pub(crate) draft: Draft,
    /// Where it shall stand.
    pub(crate) digest: Digest,
    /// Whether that is the digest that a key of ours would have.
    pub(crate) is_proper: bool,
    /// Under which it is known too.
    pub(crate) others: Vec<Digest>,
    /// Where it may stand already, as follows from these: without a pepper, a SHA-256 of the key is a digest and a former hash.
    pub(crate) implied: Vec<Digest>,
}

pub(crate) fn check_import(
    asked: &ImportKey,
    hashes: &BTreeSet<HashName>,
    policy: &KeyPolicy,
    check: &mut Check,
) -> Option<Arrival> {
    check_said(asked, hashes, policy, check);
    let draft = CreateKey {
        tenant: asked.tenant.clone(),
        name: asked.name.clone(),
        environment: asked.environment.clone(),
        scopes: asked.scopes.clone(),
        routes: asked.routes.clone(),
        addresses: asked.addresses.clone(),
        expires_in_days: asked.expires_in_days,
        usage_plan_key: asked.usage_plan_key.clone(),
        plan: asked.plan.clone(),
        decoy: false,
        metadata: asked.metadata.clone(),
        idempotency_key: None,
    };
    let draft = check_draft(&draft, policy, check);
    let count = asked.former.len() + asked.other_digests.len();
    if count > MAX_DIGESTS {
        let message =
            format!("and `otherDigests` have {count} values, expected at most {MAX_DIGESTS}");
        check.add("former", message);
        return None;
    }
    let mut digests = Vec::new();
    if let Some(digest) = &asked.digest {
        digests.extend(own("digest", digest, check));
    }
    for (index, former) in asked.former.iter().enumerate() {
        digests.extend(check_former(former, index, check));
    }
    for (index, digest) in asked.other_digests.iter().enumerate() {
        digests.extend(own(&format!("otherDigests[{index}]"), digest, check));
    }
    if asked.digest.is_none() && asked.former.is_empty() {
        let message = "is missing, and so is `former`; a key is imported by one of them";
        check.add("digest", message);
    }
    let former = asked.digest.iter().map(String::as_str);
    let mut implied: Vec<Digest> = former
        .filter_map(|digest| HashName::Sha256.digest(digest))
        .collect();
    let plain = asked.former.iter();
    let plain = plain.filter(|former| former.hash == HashName::Sha256.as_str());
    implied.extend(plain.filter_map(|former| Digest::from_hex(&former.value.to_ascii_lowercase())));
    let is_plain = policy.format.pepper.is_none() && hashes.contains(&HashName::Sha256);
    if asked.digest.is_some() && is_plain && !asked.former_unknown {
        // Looked up as well, so it is taken together with the digest.
        digests.extend(implied.first().cloned());
    }
    let mut digests = digests.into_iter();
    let digest = digests.next()?;
    let mut others: Vec<Digest> = vec![];
    for other in digests {
        if other != digest && !others.contains(&other) {
            others.push(other);
        }
    }
    Some(Arrival {
        draft,
        digest,
        is_proper: asked.digest.is_some(),
        others,
        implied,
    })
}

/// Whether it is said of a key under a pepper what former systems kept of it, in each of the `hashes` that are looked up.
fn check_said(
    asked: &ImportKey,
    hashes: &BTreeSet<HashName>,
    policy: &KeyPolicy,
    check: &mut Check,
) {
    let is_said = |name: &HashName| {
        asked
            .former
            .iter()
            .any(|former| former.hash == name.as_str())
    };
    let unsaid: Vec<&str> = hashes
        .iter()
        .filter(|name| !is_said(name))
        .map(|name| name.as_str())
        .collect();
    let is_hidden = asked.digest.is_some() && policy.format.pepper.is_some();
    if is_hidden && !asked.former_unknown && !unsaid.is_empty() {
        let message = format!(
            "must say the `{}` of the key too, so that one that was brought by it and revoked does not come back; or say `formerUnknown`",
            unsaid.join("`, `")
        );
        check.add("former", message);
    }
}

/// A digest of ours. No message shows it.
fn own(field: &str, text: &str, check: &mut Check) -> Option<Digest> {
    let digest = Digest::from_hex(text);
    if digest.is_none() {
        check.add(field, "must be 64 lower-case hexadecimal digits");
    }
    digest
}

fn check_former(former: &FormerDigest, index: usize, check: &mut Check) -> Option<Digest> {
    let field = format!("former[{index}]");
    let Some(name) = HashName::parse(&former.hash) else {
        let known = HashName::ALL.map(HashName::as_str).join("`, `");
        let found = shown(&former.hash);
        let message = format!(
            "is `{found}`, expected one of `{known}`; of other hashes the keys themselves are needed, or new keys"
        );
        check.add(format!("{field}.hash"), message);
        return None;
    };
    let digest = name.digest(&former.value);
    if digest.is_none() {
        let message = format!("must be {} hexadecimal digits", name.digits());
        check.add(format!("{field}.value"), message);
    }
    digest
}

/// Whether so many keys may come at once.
pub(crate) fn check_count(count: usize, check: &mut Check) {
    if !(1..=MAX_MANY).contains(&count) {
        check.add(
            "keys",
            format!("has {count} values, expected 1 to {MAX_MANY}"),
        );
    }
}

/// Which part of the list of a tenant.
pub(crate) fn check_export(
    asked: &ExportKeys,
    check: &mut Check,
) -> (usize, Option<doorward_keys::Cursor>) {
    check.plain("tenant", &asked.tenant, MAX_WORD);
    check_list(asked.limit, asked.cursor.as_deref(), check)
}
