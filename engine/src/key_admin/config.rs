//! The configuration of callers as written, and its check.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Grantable, KeyAdminConfig, Permission, Principal, Unlisted, compared};
use crate::config::{Faults, Problem, check_scopes, check_tenant, scope_problem, values::shown};

/// Who may administer keys over the API of key administration. Callers are known by what the gateway verified, never by what
/// a request says.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawKeyAdmin {
    /// How callers are known: `iam` for signed requests, `authorizer` for an API behind an authorizer, Doorward's own or one
    /// for JWTs.
    #[cfg_attr(feature = "schema", schemars(extend("default" = ["iam"])))]
    accept: Option<Vec<RawAccept>>,
    /// What becomes of a principal of IAM that is not among `principals`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "operator")))]
    unlisted_principals: Option<RawUnlisted>,
    /// Principals of IAM that may do less than everything. The first one that fits counts.
    principals: Option<Vec<RawPrincipal>>,
    /// The scope that stands for each permission, for callers of an authorizer.
    scopes: Option<RawScopes>,
    /// The claim with the tenant, where the authorizer hands on the claims of a token. Such callers administer the keys of
    /// their own tenant only.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "tenant")))]
    tenant_claim: Option<String>,
}

/// How callers are known.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawAccept {
    /// As a principal of IAM.
    Iam,
    /// By what an authorizer said of them.
    Authorizer,
}

/// What becomes of a principal that is not listed.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawUnlisted {
    /// It may do everything: whoever IAM lets call the API is an operator.
    Operator,
    /// It is refused.
    Refuse,
}

/// A principal of IAM.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawPrincipal {
    /// The ARN of a user or a role; a role stands for all its sessions. `*` at the end stands for any rest of the name.
    arn: Option<String>,
    /// Whose keys it may administer. Without, those of every tenant.
    tenant: Option<String>,
    /// What it may do.
    permissions: Option<Vec<RawPermission>>,
    /// The scopes that it may give to keys; `*` alone for every one. Without, none.
    scopes: Option<Vec<String>>,
}

/// What a caller may do.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawPermission {
    /// See keys and their changes.
    Read,
    /// Make and rotate keys.
    Make,
    /// Disable, enable and revoke keys, and narrow what they may do; to widen it takes `make` too.
    Change,
    /// Remove what is stored of keys that ended.
    Delete,
}

/// The scope that stands for each permission.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawScopes {
    /// For seeing keys.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "keys:read")))]
    read: Option<String>,
    /// For making and rotating keys.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "keys:make")))]
    make: Option<String>,
    /// For disabling, enabling and revoking keys.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "keys:change")))]
    change: Option<String>,
    /// For removing keys that ended.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "keys:delete")))]
    delete: Option<String>,
}

impl RawKeyAdmin {
    /// The checked configuration.
    pub(crate) fn check(self, faults: &mut Faults) -> KeyAdminConfig {
        let before = KeyAdminConfig::default();
        let accept = self.accept.unwrap_or_else(|| vec![RawAccept::Iam]);
        if accept.is_empty() {
            let (what, otherwise) = ("way", "; leave it out for `iam`");
            faults.problem("key_admin.accept", Problem::Empty { what, otherwise });
        }
        let accepts_iam = accept.contains(&RawAccept::Iam);
        let accepts_authorizer = accept.contains(&RawAccept::Authorizer);
        if !accept.is_empty() && !faults.is_replaced("key_admin.accept") {
            for (setting, is_set, needs, is_accepted) in [
                ("principals", self.principals.is_some(), "iam", accepts_iam),
                (
                    "unlisted_principals",
                    self.unlisted_principals.is_some(),
                    "iam",
                    accepts_iam,
                ),
                (
                    "scopes",
                    self.scopes.is_some(),
                    "authorizer",
                    accepts_authorizer,
                ),
                (
                    "tenant_claim",
                    self.tenant_claim.is_some(),
                    "authorizer",
                    accepts_authorizer,
                ),
            ] {
                if is_set && !is_accepted {
                    let path = format!("key_admin.{setting}");
                    faults.problem(path, Problem::CallerUnaccepted { needs });
                }
            }
        }
        let principals = self.principals.unwrap_or_default().into_iter().enumerate();
        let principals = principals.filter_map(|(index, raw)| raw.check(index, faults));
        let principals = principals.collect();
        let tenant_claim = self.tenant_claim.unwrap_or(before.tenant_claim);
        if tenant_claim.is_empty() {
            let what = "name the claim";
            faults.problem("key_admin.tenant_claim", Problem::Missing { what });
        }
        KeyAdminConfig {
            accepts_iam,
            accepts_authorizer,
            unlisted: match self.unlisted_principals {
                None | Some(RawUnlisted::Operator) => Unlisted::Operator,
                Some(RawUnlisted::Refuse) => Unlisted::Refuse,
            },
            principals,
            scopes: self.scopes.unwrap_or_default().check(before.scopes, faults),
            tenant_claim,
        }
    }
}

impl RawScopes {
    fn check(
        self,
        mut scopes: BTreeMap<Permission, String>,
        faults: &mut Faults,
    ) -> BTreeMap<Permission, String> {
        for (permission, scope) in [
            (Permission::Read, self.read),
            (Permission::Make, self.make),
            (Permission::Change, self.change),
            (Permission::Delete, self.delete),
        ] {
            let Some(scope) = scope else { continue };
            let path = format!("key_admin.scopes.{}", permission.as_str());
            if let Some(problem) = scope_problem(&scope) {
                faults.problem(path, problem);
            }
            scopes.insert(permission, scope);
        }
        scopes
    }
}

impl RawPrincipal {
    fn check(self, index: usize, faults: &mut Faults) -> Option<Principal> {
        let path = |setting: &str| format!("key_admin.principals[{index}].{setting}");
        check_tenant(self.tenant.as_deref(), &path("tenant"), faults);
        let permissions = self.permissions.unwrap_or_default();
        if permissions.is_empty() && !faults.is_replaced(&path("permissions")) {
            let (what, otherwise) = ("permission", "");
            faults.problem(path("permissions"), Problem::Empty { what, otherwise });
        }
        let scopes = self.scopes.unwrap_or_default();
        let scopes = if scopes == ["*"] {
            Grantable::All
        } else {
            check_scopes(&scopes, &path("scopes"), faults);
            Grantable::Only(scopes.into_iter().collect())
        };
        let Some(arn) = self.arn else {
            if !faults.is_replaced(&path("arn")) {
                let what = "the ARN of a user or a role";
                faults.problem(path("arn"), Problem::Missing { what });
            }
            return None;
        };
        if let Some(problem) = flaw(&arn) {
            faults.problem(path("arn"), problem);
            return None;
        }
        let is_prefix = arn.ends_with('*');
        Some(Principal {
            tenant: self.tenant,
            permissions: permissions.into_iter().map(Permission::from).collect(),
            scopes,
            arn: compared(arn.strip_suffix('*').unwrap_or(&arn)),
            is_prefix,
        })
    }
}

impl From<RawPermission> for Permission {
    fn from(raw: RawPermission) -> Self {
        match raw {
            RawPermission::Read => Self::Read,
            RawPermission::Make => Self::Make,
            RawPermission::Change => Self::Change,
            RawPermission::Delete => Self::Delete,
        }
    }
}

/// What is wrong with the ARN of a principal.
fn flaw(arn: &str) -> Option<Problem> {
    let found = shown(arn);
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [
        "arn",
        "aws" | "aws-cn" | "aws-us-gov",
        "iam",
        "",
        account,
        name,
    ] = parts.as_slice()
    else {
        return Some(Problem::PrincipalArn { found });
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let whole = name.strip_suffix('*').unwrap_or(name);
    let is_name = |name: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
        name.bytes().all(plain)
    };
    match whole.split_once('/') {
        Some(("user" | "role", rest)) if is_account && is_name(rest) && name.len() > 5 => {
            // The session of a role does not tell the path of the role, so no rest of a path can be compared.
            let is_path = whole.starts_with("role/") && rest.contains('/') && name.ends_with('*');
            is_path.then_some(Problem::PrincipalPath { found })
        }
        _ => Some(Problem::PrincipalArn { found }),
    }
}
