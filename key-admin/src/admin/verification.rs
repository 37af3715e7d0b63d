//! Whether a printed key is good, and what it may do.

use std::borrow::Cow;

use doorward_engine::layers::entitlements;
use doorward_keys::{
    KeyRecord, Timestamp,
    format::FormatFault,
    lifecycle::{Standing, standing},
};

use super::{Call, KeyAdmin};
use crate::{
    caller::Permission,
    command::VerifyKey,
    error::AdminError,
    reply::{KeyView, Reply},
};

impl KeyAdmin {
    /// The record of a printed key, of ours or from elsewhere, as the authorizer finds it; `None` where there is none, and the fault of
    /// a text that is no key.
    pub(crate) async fn shown(
        &self,
        printed: &str,
        now: Timestamp,
    ) -> Result<Result<Option<KeyRecord>, FormatFault>, AdminError> {
        let places = match self.foreign.find(printed, &self.policy.format, now) {
            Ok(places) => places,
            Err(fault) => return Ok(Err(fault)),
        };
        for digest in places.iter() {
            let found = self.ledger().lookup(digest).await?;
            if found.is_some() {
                return Ok(Ok(found));
            }
        }
        Ok(Ok(None))
    }
}

impl Call<'_> {
    pub(super) async fn verify(&self, asked: &VerifyKey) -> Result<Reply, AdminError> {
        self.caller.require(Permission::Read)?;
        let found = match self.admin.shown(&asked.key, self.now).await? {
            Ok(found) => found,
            Err(fault) => return Ok(bad(word(fault))),
        };
        // A key of another tenant is not there.
        let Some(record) = found.filter(|record| self.caller.sees(&record.tenant)) else {
            return Ok(bad("unknown"));
        };
        let standing = standing(&record, self.now);
        Ok(Reply::Verified {
            valid: standing == Standing::Usable && !record.decoy,
            why_not: match standing {
                // Its time does not matter: the authorizer knows it for what it is as long as it is stored.
                Standing::Usable | Standing::Expired if record.decoy => Some("decoy"),
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
        if record.decoy {
            return Some(vec![]);
        }
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
