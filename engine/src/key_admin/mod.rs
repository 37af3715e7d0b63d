//! Who may administer keys over the API of key administration: principals of IAM, and callers of an authorizer.
//!
//! Key administration goes by this; the authorizer has no use for it.

mod config;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use config::RawKeyAdmin;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See keys and their changes.
    Read,
    /// Make and rotate keys.
    Make,
    /// Disable, enable and revoke keys, and narrow what they may do; to widen it takes [`Permission::Make`] too.
    Change,
    /// Remove what is stored of keys that ended.
    Delete,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Make, Self::Change, Self::Delete];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Make => "make",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }
}

/// Who may administer keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAdminConfig {
    /// Whether principals of IAM are let in.
    pub accepts_iam: bool,
    /// Whether callers of an authorizer are let in.
    pub accepts_authorizer: bool,
    /// What becomes of a principal that is not listed.
    pub unlisted: Unlisted,
    /// The principals, in the order of the configuration.
    pub principals: Vec<Principal>,
    /// The scope that stands for each permission, for callers of an authorizer.
    pub scopes: BTreeMap<Permission, String>,
    /// The claim with the tenant of a token, for authorizers that hand on claims.
    pub tenant_claim: String,
}

/// What becomes of a principal that is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// It may do everything: IAM let it in.
    Operator,
    /// It is refused.
    Refuse,
}

/// A principal of IAM, or several by the beginning of their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Whose keys it may administer; absent means those of every tenant.
    pub tenant: Option<String>,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
    /// What it may grant.
    pub scopes: Grantable,
    /// The ARN as compared: roles without their path, which a session does not tell.
    arn: String,
    /// Whether ARNs that begin so are meant too.
    is_prefix: bool,
}

/// Which scopes a caller may give to keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantable {
    /// Every scope.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl Default for KeyAdminConfig {
    fn default() -> Self {
        let scope = |permission: Permission| format!("keys:{}", permission.as_str());
        Self {
            accepts_iam: true,
            accepts_authorizer: false,
            unlisted: Unlisted::Operator,
            principals: vec![],
            scopes: Permission::ALL.map(|one| (one, scope(one))).into(),
            tenant_claim: "tenant".to_owned(),
        }
    }
}

impl KeyAdminConfig {
    /// The first principal that `arn` is, as a gateway names it: a user, or the session of a role.
    pub fn principal(&self, arn: &str) -> Option<&Principal> {
        let arn = compared(arn);
        self.principals.iter().find(|principal| {
            if principal.is_prefix {
                arn.starts_with(&principal.arn)
            } else {
                arn == principal.arn
            }
        })
    }

    /// What a caller may do who holds `scopes`.
    pub fn permissions(&self, scopes: &BTreeSet<String>) -> BTreeSet<Permission> {
        let held = self
            .scopes
            .iter()
            .filter(|(_, scope)| scopes.contains(*scope));
        held.map(|(permission, _)| *permission).collect()
    }
}

/// An ARN in the form in which principals are compared: the session of a role as the role
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>).
fn compared(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, name] = parts.as_slice() else {
        return arn.to_owned();
    };
    let role = match (*service, name.split_once('/')) {
        ("sts", Some(("assumed-role", rest))) => rest.split('/').next(),
        ("iam", Some(("role", rest))) => rest.rsplit('/').next(),
        _ => None,
    };
    match role {
        Some(role) => format!("arn:{partition}:iam::{account}:role/{role}"),
        None => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests;
