//! Who asks, and how far their word reaches. Comes from a verified identity, never from the request.

use std::collections::BTreeSet;

use doorward_engine::key_admin::Grantable;
pub use doorward_engine::key_admin::Permission;

use crate::error::AdminError;

/// The longest name of a caller that is kept, in characters.
const MAX_NAME: usize = 256;

/// A verified caller.
#[derive(Clone, Debug)]
pub struct Caller {
    name: String,
    reach: Reach,
}

#[derive(Clone, Debug)]
enum Reach {
    Everything,
    Limited {
        /// `None` for every tenant.
        tenant: Option<String>,
        permissions: BTreeSet<Permission>,
        scopes: Grantable,
    },
}

impl Caller {
    /// Someone who may do everything for every tenant: an IAM principal that was let in to administer keys. `name` stands
    /// in audit entries, such as the ARN of the principal.
    pub fn operator(name: &str) -> Self {
        Self {
            name: cleaned(name),
            reach: Reach::Everything,
        }
    }

    /// Someone who may do what `permissions` say, for one tenant only, and who holds `scopes`: the keys they make or rotate
    /// can have these and no others.
    pub fn of_tenant(
        name: &str,
        tenant: impl Into<String>,
        permissions: impl IntoIterator<Item = Permission>,
        scopes: impl IntoIterator<Item = String>,
    ) -> Self {
        let scopes = Grantable::Only(scopes.into_iter().collect());
        Self::limited(name, Some(tenant.into()), permissions, scopes)
    }

    /// Someone who may do what `permissions` say for `tenant`, or for every tenant where there is none, and grant `scopes`.
    pub fn limited(
        name: &str,
        tenant: Option<String>,
        permissions: impl IntoIterator<Item = Permission>,
        scopes: Grantable,
    ) -> Self {
        Self {
            name: cleaned(name),
            reach: Reach::Limited {
                tenant,
                permissions: permissions.into_iter().collect(),
                scopes,
            },
        }
    }

    /// Who it is, for audit entries and the log: one bounded line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether keys of `tenant` are there for this caller at all.
    pub(crate) fn sees(&self, tenant: &str) -> bool {
        match &self.reach {
            Reach::Everything => true,
            Reach::Limited { tenant: own, .. } => own.as_ref().is_none_or(|own| own == tenant),
        }
    }

    /// Whether the caller may do everything for every tenant.
    pub(crate) const fn is_operator(&self) -> bool {
        matches!(self.reach, Reach::Everything)
    }

    pub(crate) fn require(&self, permission: Permission) -> Result<(), AdminError> {
        match &self.reach {
            Reach::Limited { permissions, .. } if !permissions.contains(&permission) => {
                let what = match permission {
                    Permission::Read => "read keys",
                    Permission::Make => "make keys",
                    Permission::Change => "change keys",
                    Permission::Delete => "delete keys",
                };
                let word = permission.as_str();
                Err(AdminError::Forbidden(format!(
                    "you may not {what}; ask an operator for the permission `{word}`"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to hand out scopes that the caller does not hold.
    pub(crate) fn require_scopes(&self, scopes: &[String]) -> Result<(), AdminError> {
        let Reach::Limited {
            scopes: Grantable::Only(held),
            ..
        } = &self.reach
        else {
            return Ok(());
        };
        match scopes.iter().find(|scope| !held.contains(*scope)) {
            None => Ok(()),
            Some(lacking) => Err(AdminError::Forbidden(format!(
                "you do not hold the scope `{lacking}` and cannot grant it"
            ))),
        }
    }
}

fn cleaned(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_control())
        .take(MAX_NAME)
        .collect()
}
