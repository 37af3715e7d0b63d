//! Making keys: new ones, and successors of old ones.

use doorward_keys::{
    AuditAction, AuditEntry, Idempotency, KeyId, KeyRecord, Written,
    format::MintedKey,
    lifecycle::{self, Fresh, Refusal, Rotation},
};
use serde::Serialize;

use super::Call;
use crate::{
    caller::Permission,
    command::{CreateKey, RotateKey, check_draft, check_rotation, checked},
    entropy,
    error::AdminError,
    reply::{KeyView, Reply, ShownOnce},
};

impl Call<'_> {
    pub(super) async fn create(&self, asked: CreateKey) -> Result<Reply, AdminError> {
        let policy = &self.admin.policy;
        let draft = checked(|check| Some(check_draft(&asked, policy, check)))?;
        self.caller.require(Permission::Make)?;
        self.require_tenant(&draft.tenant)?;
        self.caller.require_scopes(&draft.scopes)?;
        for (field, is_set) in [
            ("usagePlanKey", draft.usage_plan_key.is_some()),
            ("plan", draft.plan.is_some()),
        ] {
            if is_set && !self.caller.is_operator() {
                let message = format!("only operators may set `{field}`");
                return Err(AdminError::Forbidden(message));
            }
        }
        let name = asked.idempotency_key.clone();
        let content = CreateKey {
            idempotency_key: None,
            ..asked
        };
        let request = self.request("create", &draft.tenant, name.as_deref(), &content);
        if let Some(reply) = self.recalled(request.as_ref()).await? {
            return Ok(reply);
        }

        let (minted, fresh) = self.mint(&draft.environment)?;
        let record = lifecycle::create(draft, fresh, self.now, policy.limits())
            .map_err(AdminError::Refused)?;
        let entry = self.entry(AuditAction::Create, &record)?;
        let written = self.ledger().create(&record, &entry, request.as_ref());
        match written.await? {
            Written::Before(earlier) => self.repeated(earlier).await,
            Written::Now => Ok(Reply::Created {
                key: KeyView::of(&record, self.now),
                secret: ShownOnce::new(minted.printed),
            }),
        }
    }

    pub(super) async fn rotate(&self, asked: RotateKey) -> Result<Reply, AdminError> {
        let policy = &self.admin.policy;
        let (id, lifetime, overlap) = checked(|check| check_rotation(&asked, policy, check))?;
        self.caller.require(Permission::Make)?;
        let old = self.find(&id).await?;
        // The successor's secret goes to the caller, so the caller must hold what it opens.
        self.caller.require_scopes(&old.scopes)?;
        let name = asked.idempotency_key.clone();
        let content = RotateKey {
            idempotency_key: None,
            ..asked
        };
        let request = self.request("rotate", id.as_str(), name.as_deref(), &content);
        if let Some(reply) = self.recalled(request.as_ref()).await? {
            return Ok(reply);
        }
        super::changes::require_version(&old, content.expected_version)?;
        if !policy.format.environments.contains(&old.environment) {
            let message = format!(
                "is of a key of the environment `{}`, which is no longer configured; create a new key",
                old.environment
            );
            return Err(AdminError::invalid("id", message));
        }

        let (minted, fresh) = self.mint(&old.environment)?;
        let mut rotation =
            lifecycle::rotate(&old, fresh, lifetime, overlap, self.now, policy.limits())
                .map_err(AdminError::Refused)?;
        let audit = self.rotation_entries(&rotation, content.reason.as_deref())?;
        self.ends_early(&old, &rotation.old).await;
        let written = self.write_rotation(&mut rotation, &old, &audit, request.as_ref());
        match written.await? {
            Written::Before(earlier) => self.repeated(earlier).await,
            Written::Now => Ok(Reply::Rotated {
                key: KeyView::of(&rotation.new, self.now),
                secret: ShownOnce::new(minted.printed),
                replaced: Box::new(KeyView::of(&rotation.old, self.now)),
            }),
        }
    }

    /// Writes a rotation; where one is scheduled for the old key, the successor takes its turn.
    async fn write_rotation(
        &self,
        rotation: &mut Rotation,
        old: &KeyRecord,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Result<Written, AdminError> {
        let scheduled = match &self.admin.rotations {
            Some(book) if old.rotates_at.is_some() => {
                book.scheduled(&old.id).await?.map(|plan| (book, plan))
            }
            _ => None,
        };
        let Some((book, plan)) = scheduled else {
            let ledger = self.ledger();
            return Ok(ledger.rotate(rotation, old.version, audit, request).await?);
        };
        let next = plan.next(&rotation.new.id, self.now);
        rotation.new.rotates_at = next.as_ref().map(|next| next.at);
        let written =
            book.rotate_scheduled(rotation, old.version, audit, request, None, next.as_ref());
        Ok(written.await?)
    }

    /// Asks for a flush where a rotated key ends before the gateway has forgotten by itself for how long it was to live.
    pub(super) async fn ends_early(&self, before: &KeyRecord, after: &KeyRecord) {
        let forgotten = self.now.plus(self.longest_promise());
        if after.expires_at != before.expires_at
            && after.expires_at.is_some_and(|end| end < forgotten)
        {
            self.narrowing().await;
        }
    }

    pub(super) fn mint(&self, environment: &str) -> Result<(MintedKey, Fresh), AdminError> {
        let mut secret = [0; 32];
        self.entropy.fill(&mut secret)?;
        let id = KeyId::new(self.now, entropy::number(self.entropy)?);
        let minted = self
            .admin
            .policy
            .format
            .mint(environment, secret)
            .map_err(|fault| AdminError::invalid("environment", fault.to_string()))?;
        let digest = minted.digest.clone();
        Ok((minted, Fresh { id, digest }))
    }

    pub(super) fn entry(
        &self,
        action: AuditAction,
        record: &KeyRecord,
    ) -> Result<AuditEntry, AdminError> {
        let random = entropy::number(self.entropy)?;
        let actor = self.caller.name();
        Ok(AuditEntry::of(action, record, actor, self.now, random))
    }

    pub(super) fn rotation_entries(
        &self,
        rotation: &Rotation,
        reason: Option<&str>,
    ) -> Result<[AuditEntry; 2], AdminError> {
        let mut of_old = self.entry(AuditAction::Rotate, &rotation.old)?;
        let mut of_new = self.entry(AuditAction::Create, &rotation.new)?;
        of_old.related = Some(rotation.new.id.clone());
        of_new.related = Some(rotation.old.id.clone());
        for entry in [&mut of_old, &mut of_new] {
            entry.reason = reason.map(ToOwned::to_owned);
        }
        Ok([of_old, of_new])
    }

    /// The request as it is remembered. `content` is all of it but its name.
    fn request(
        &self,
        operation: &str,
        scope: &str,
        name: Option<&str>,
        content: &impl Serialize,
    ) -> Option<Idempotency> {
        let name = name?;
        // Structures of texts and numbers always serialise; were one not to, it would differ from every other content.
        let content = serde_json::to_string(content).unwrap_or_default();
        Some(Idempotency::new(operation, scope, name, &content, self.now))
    }
}

impl From<Refusal> for AdminError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
