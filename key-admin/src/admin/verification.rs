//! Whether a printed key is good, and what it may do.

use std::borrow::Cow;

use doorward_engine::layers::entitlements;
use doorward_keys::{
    KeyRecord,
    format::FormatFault,
    lifecycle::{Standing, standing},
};

use super::Call;
use crate::{
    caller::Permission,
    command::VerifyKey,
    error::AdminError,
    reply::{KeyView, Reply},
};

impl Call<'_> {
    pub(super) async fn verify(&self, asked: &VerifyKey) -> Result<Reply, AdminError> {
        self.caller.require(Permission::Read)?;
        let digest = match self.admin.policy.format.parse(&asked.key) {
            Ok(digest) => digest,
            Err(fault) => return Ok(bad(word(fault))),
        };
        let found = self.ledger().lookup(&digest).await?;
        // A key of another tenant is not there.
        let Some(record) = found.filter(|record| self.caller.sees(&record.tenant)) else {
            return Ok(bad("unknown"));
        };
        let standing = standing(&record, self.now);
        Ok(Reply::Verified {
            valid: standing == Standing::Usable && !record.decoy,
            why_not: match standing {
                Standing::Usable if record.decoy => Some("decoy"),
                Standing::Usable => None,
                Standing::Disabled => Some("disabled"),
                Standing::Revoked => Some("revoked"),
                Standing::Expired => Some("expired"),
            }
            .map(Cow::Borrowed),
            routes: self.routes(&record),
            key: Some(Box::new(KeyView::of(&record, self.now))),
        })
    }

    /// The names of the routes that the key opens by itself; `None` where no routes are known.
    fn routes(&self, record: &KeyRecord) -> Option<Vec<String>> {
        let table = self.admin.routes.as_ref()?;
        let routes = entitlements::routes_of_key(table, record);
        Some(routes.iter().map(|route| route.key.clone()).collect())
    }
}

const fn bad(why: &'static str) -> Reply {
    Reply::Verified {
        valid: false,
        why_not: Some(Cow::Borrowed(why)),
        routes: None,
        key: None,
    }
}

const fn word(fault: FormatFault) -> &'static str {
    match fault {
        FormatFault::Malformed => "malformed",
        FormatFault::Foreign => "foreign",
        FormatFault::Environment => "environment",
        FormatFault::Checksum => "checksum",
    }
}
