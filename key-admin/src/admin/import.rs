//! Keys that were made elsewhere, and many keys at once.

use doorward_keys::{
    AuditAction, Digest, KeyId, KeyRecord, KeyStatus, Trace,
    lifecycle::{self, Fresh, Refusal},
};

use super::{Call, KeyAdmin, changes::TRIES};
use crate::{
    caller::{Caller, Permission},
    command::{
        Arrival, CreateMany, ExportKeys, ImportKey, ImportMany, check_count, check_export,
        check_import, checked,
    },
    entropy::{self, SystemEntropy},
    error::AdminError,
    reply::{Each, ExportedKey, KeyView, Reply},
};

/// What is here of a key that is brought.
#[derive(Default)]
struct Standing {
    known: Option<KeyRecord>,
    /// Those of its digests that were said and under which there is nothing.
    free: Vec<Digest>,
}

impl KeyAdmin {
    /// Whether [`Command::Import`](crate::Command::Import) would bring a new key. Every check is made; nothing is written.
    pub async fn would_import(
        &self,
        asked: &ImportKey,
        caller: &Caller,
        now: doorward_keys::Timestamp,
    ) -> Result<bool, AdminError> {
        let call = Call {
            admin: self,
            caller,
            now,
            entropy: &SystemEntropy,
        };
        let arrival = call.arrival(asked)?;
        Ok(call.standing(&arrival).await?.known.is_none())
    }
}

impl Call<'_> {
    pub(super) async fn import(&self, asked: &ImportKey) -> Result<Reply, AdminError> {
        let arrival = self.arrival(asked)?;
        let status = if asked.disabled {
            KeyStatus::Disabled
        } else {
            KeyStatus::Active
        };
        let mut tries = 1;
        loop {
            let Standing { known, free } = self.standing(&arrival).await?;
            let done = match known {
                Some(known) => self.known(&arrival, known, &free).await,
                None => self.brought(&arrival, status).await,
            };
            match done {
                // Somebody imports or changes the same key at the same time.
                Err(AdminError::Conflict(_)) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    /// A new key.
    async fn brought(&self, arrival: &Arrival, status: KeyStatus) -> Result<Reply, AdminError> {
        let fresh = Fresh {
            id: KeyId::new(self.now, entropy::number(self.entropy)?),
            digest: arrival.digest.clone(),
        };
        let draft = arrival.draft.clone();
        let limits = self.admin.policy.limits();
        let record = lifecycle::import(draft, fresh, status, self.now, limits)?;
        let entry = self.entry(AuditAction::Import, &record)?;
        let ledger = self.ledger();
        ledger.import(&record, &arrival.others, &entry).await?;
        Ok(self.imported(&record, true))
    }

    /// A key that is here already. What more is known of it now is noted: where its proper digest is known it stands under that,
    /// and nothing is ever imported under the others.
    async fn known(
        &self,
        arrival: &Arrival,
        record: KeyRecord,
        free: &[Digest],
    ) -> Result<Reply, AdminError> {
        let digest = if arrival.is_proper && free.contains(&arrival.digest) {
            arrival.digest.clone()
        } else {
            record.digest.clone()
        };
        let others: Vec<Digest> = free.iter().filter(|one| **one != digest).cloned().collect();
        if others.is_empty() && digest == record.digest {
            return Ok(self.imported(&record, false));
        }
        let changed = lifecycle::known_by(&record, digest, self.now)?;
        let mut entry = self.entry(AuditAction::Update, &changed)?;
        entry.fields = vec!["digest".to_owned()];
        entry.reason = Some("imported again, and more is known of it".to_owned());
        let ledger = self.ledger();
        ledger
            .rehash(&changed, &record.digest, &others, record.version, &entry)
            .await?;
        Ok(self.imported(&changed, false))
    }

    pub(super) async fn import_many(&self, asked: &ImportMany) -> Result<Reply, AdminError> {
        checked(|check| {
            check_count(asked.keys.len(), check);
            Some(())
        })?;
        self.require_import()?;
        let mut results = Vec::with_capacity(asked.keys.len());
        for key in &asked.keys {
            results.push(Each::from(self.import(key).await));
        }
        Ok(Reply::Many { results })
    }

    pub(super) async fn create_many(&self, asked: CreateMany) -> Result<Reply, AdminError> {
        checked(|check| {
            check_count(asked.keys.len(), check);
            Some(())
        })?;
        self.caller.require(Permission::Make)?;
        let mut results = Vec::with_capacity(asked.keys.len());
        for key in asked.keys {
            results.push(Each::from(self.create(key).await));
        }
        Ok(Reply::Many { results })
    }

    pub(super) async fn export(&self, asked: &ExportKeys) -> Result<Reply, AdminError> {
        let (limit, after) = checked(|check| Some(check_export(asked, check)))?;
        self.caller.require(Permission::Read)?;
        self.require_tenant(&asked.tenant)?;
        if asked.with_digests && !self.caller.is_operator() {
            let message = "only operators may export digests".to_owned();
            return Err(AdminError::Forbidden(message));
        }
        let ledger = self.ledger();
        let page = ledger.list(&asked.tenant, limit, after.as_ref()).await?;
        let exported = |record: &KeyRecord| ExportedKey {
            key: KeyView::of(record, self.now),
            digest: asked.with_digests.then(|| record.digest.to_hex()),
        };
        Ok(Reply::Exported {
            exported: page.items.iter().map(exported).collect(),
            cursor: page.next.map(|next| next.to_string()),
        })
    }

    fn arrival(&self, asked: &ImportKey) -> Result<Arrival, AdminError> {
        let KeyAdmin {
            policy, foreign, ..
        } = self.admin;
        let hashes = foreign.hashes();
        let arrival = checked(|check| check_import(asked, &hashes, policy, check))?;
        self.require_import()?;
        Ok(arrival)
    }

    fn require_import(&self) -> Result<(), AdminError> {
        if self.caller.is_operator() {
            Ok(())
        } else {
            let message = "only operators may import keys".to_owned();
            Err(AdminError::Forbidden(message))
        }
    }

    /// The key as it is here already, under whichever of its digests, and which of these are free; refused where it is somebody
    /// else's, or ended.
    async fn standing(&self, arrival: &Arrival) -> Result<Standing, AdminError> {
        let mut standing = Standing::default();
        let said = std::iter::once(&arrival.digest).chain(&arrival.others);
        for digest in said.clone().chain(&arrival.implied) {
            match self.held(digest).await? {
                Some(record) => {
                    lifecycle::known(&record, &arrival.draft.tenant)?;
                    standing.known.get_or_insert(record);
                }
                None if said.clone().any(|one| one == digest) => standing.free.push(digest.clone()),
                None => {}
            }
        }
        Ok(standing)
    }

    /// The key that stands under `digest`, or stood there and has moved.
    async fn held(&self, digest: &Digest) -> Result<Option<KeyRecord>, AdminError> {
        let ledger = self.ledger();
        let id = match ledger.trace(digest).await? {
            None => return Ok(None),
            Some(Trace::Here(record)) => return Ok(Some(*record)),
            Some(Trace::Gone(id)) => id,
        };
        match ledger.fetch(&id).await? {
            Some(record) => Ok(Some(record)),
            None => Err(Refusal::Ended.into()),
        }
    }

    fn imported(&self, record: &KeyRecord, imported: bool) -> Reply {
        Reply::Imported {
            key: KeyView::of(record, self.now),
            imported,
        }
    }
}
