//! Commands done.

mod changes;
mod creation;
mod deletion;
mod flush;
mod import;
mod notices;
mod rehash;
mod rotation;
mod schedule;
mod update;
mod usage;
mod verification;

use std::sync::Arc;

use doorward_engine::{
    key_admin::KeyAdminConfig,
    layers::api_key::ApiKeysConfig,
    leaks::LeaksConfig,
    routes::RouteTable,
    usage::{UsageConfig, UsageMode},
};
use doorward_keys::{
    AuditEntry, Earlier, FlushBook, ForeignForms, Idempotency, KeyId, KeyLedger, KeyRecord, Outbox,
    Page, RotationBook, Timestamp, UsageReader, format::KeyFormat, lifecycle::Limits,
};

use serde_json::Value;

pub use self::flush::FlushPolicy;
pub(crate) use self::{
    notices::Notices,
    rehash::Rehashed,
    rotation::{Due, event_ulid},
};
use crate::{
    blocks::BlockAdmin,
    caller::{Caller, Permission},
    command::{
        Command, Filter, GetKey, ListChanges, ListChangesOfTenant, ListKeys, Wanted, check_filter,
        check_key_ref, check_list, checked,
    },
    entropy::Entropy,
    error::AdminError,
    reply::{ChangeView, KeyView, Reply},
};

/// How long a gateway remembers an answer when nothing is said, in seconds
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html>).
pub(crate) const GATEWAY_TTL_SECONDS: u32 = 300;

/// What holds for all keys.
#[derive(Clone, Debug)]
pub struct KeyPolicy {
    /// Which printed keys are ours; new ones are made with its pepper in force.
    pub format: KeyFormat,
    /// Life of a new key when nothing is said, in days.
    pub default_lifetime_days: u32,
    /// Longest life of a new key, in days.
    pub max_lifetime_days: u32,
    /// How long after its end a key is kept before it can be deleted, in days.
    pub retention_days: u32,
    /// How long the authorizer remembers a key, in seconds.
    pub cache_seconds: u32,
    /// How long the gateway remembers an answer of the authorizer, in seconds.
    pub gateway_ttl_seconds: u32,
}

impl KeyPolicy {
    /// The longest overlap of a rotation: 30 days.
    pub(crate) const MAX_OVERLAP_SECONDS: i64 = 30 * 86_400;

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_lifetime_seconds: i64::from(self.max_lifetime_days) * 86_400,
            max_overlap_seconds: Self::MAX_OVERLAP_SECONDS,
        }
    }

    /// After how many seconds at most a change of a key counts everywhere, where nothing is flushed.
    pub const fn effective_within_seconds(&self) -> u32 {
        self.cache_seconds.saturating_add(self.gateway_ttl_seconds)
    }
}

impl From<&ApiKeysConfig> for KeyPolicy {
    fn from(config: &ApiKeysConfig) -> Self {
        Self {
            format: config.format.clone(),
            default_lifetime_days: config.default_lifetime_days,
            max_lifetime_days: config.max_lifetime_days,
            retention_days: config.retention_days,
            cache_seconds: config.cache_seconds,
            gateway_ttl_seconds: GATEWAY_TTL_SECONDS,
        }
    }
}

/// Does commands on a ledger.
#[derive(Clone)]
pub struct KeyAdmin {
    ledger: Arc<dyn KeyLedger>,
    outbox: Option<Arc<dyn Outbox>>,
    leaks: Option<Arc<LeaksConfig>>,
    usage: Option<Arc<dyn UsageReader>>,
    usage_kept_days: u32,
    policy: KeyPolicy,
    foreign: ForeignForms,
    callers: Arc<KeyAdminConfig>,
    /// How long a command takes at most, in seconds.
    settle_seconds: u32,
    routes: Option<RouteTable>,
    key_set: Option<Arc<Value>>,
    flush: Option<(Arc<dyn FlushBook>, FlushPolicy)>,
    rotations: Option<Arc<dyn RotationBook>>,
    notices: Notices,
    usage_mode: UsageMode,
    blocks: Option<BlockAdmin>,
}

impl KeyAdmin {
    /// Key administration on `ledger` under `policy`.
    pub fn new(policy: KeyPolicy, ledger: Arc<dyn KeyLedger>) -> Self {
        Self {
            ledger,
            outbox: None,
            leaks: None,
            usage: None,
            usage_kept_days: UsageConfig::default().retention_days,
            policy,
            foreign: ForeignForms::default(),
            callers: Arc::default(),
            // What is lost by counting whole seconds.
            settle_seconds: 1,
            routes: None,
            key_set: None,
            flush: None,
            rotations: None,
            notices: Notices::default(),
            usage_mode: UsageMode::Batched,
            blocks: None,
        }
    }

    /// Key administration on `ledger` for the configuration of the authorizer, so that what is made here is accepted there.
    pub fn from_config(config: &ApiKeysConfig, ledger: Arc<dyn KeyLedger>) -> Self {
        Self {
            foreign: config.imported.clone(),
            notices: Notices::from(config),
            ..Self::new(KeyPolicy::from(config), ledger)
        }
    }

    /// The same with the time for which the gateway remembers answers; it is part of the stated delay of changes.
    pub fn with_gateway_ttl(mut self, seconds: u32) -> Self {
        self.policy.gateway_ttl_seconds = seconds;
        let blocks = self.blocks.take();
        self.with_blocks(blocks)
    }

    /// The same with blocks of tokens; without them the commands about blocks are refused.
    pub fn with_blocks(mut self, blocks: Option<BlockAdmin>) -> Self {
        let kept = self.policy.gateway_ttl_seconds;
        self.blocks = blocks.map(|blocks| blocks.with_gateway_ttl(kept));
        self
    }

    /// The same where a command may take so long until its change is made; the stated times of changes count it in.
    pub const fn with_settling(mut self, seconds: u32) -> Self {
        self.settle_seconds = seconds;
        self
    }

    /// The same with the routes of the configuration, so that it can be said which of them a key opens.
    pub fn with_routes(mut self, routes: RouteTable) -> Self {
        self.routes = Some(routes);
        self
    }

    /// The same with a place for notices; without one nobody can be told of anything but changes.
    pub fn with_outbox(mut self, outbox: Arc<dyn Outbox>) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// The same with what becomes of keys that are reported as leaked; without it no report is taken.
    pub fn with_leaks(mut self, leaks: Option<LeaksConfig>) -> Self {
        self.leaks = leaks.map(Arc::new);
        self
    }

    /// What becomes of keys that are reported as leaked.
    pub(crate) fn leaks(&self) -> Option<&LeaksConfig> {
        self.leaks.as_deref()
    }

    /// Where notices are written.
    pub(crate) fn outbox(&self) -> Result<&dyn Outbox, AdminError> {
        self.outbox.as_deref().ok_or_else(|| {
            AdminError::Unavailable("there is no place for events about keys".to_owned())
        })
    }

    /// Where keys are kept.
    pub(crate) fn ledger(&self) -> &dyn KeyLedger {
        self.ledger.as_ref()
    }

    fn blocks(&self) -> Result<&BlockAdmin, AdminError> {
        self.blocks.as_ref().ok_or_else(|| {
            let message =
                "the configuration has no `block_list`, so that no token would be refused";
            AdminError::invalid("operation", message)
        })
    }

    /// The same with the counts of `usage`; without them the command `usage` is refused.
    pub fn with_usage(mut self, usage: Arc<dyn UsageReader>) -> Self {
        self.usage = Some(usage);
        self
    }

    /// The same with the time for which the configuration of the authorizer keeps counts.
    pub const fn with_usage_config(mut self, config: &UsageConfig) -> Self {
        self.usage_kept_days = config.retention_days;
        self.usage_mode = config.mode;
        self
    }

    /// The same with flushes of the gateway's cache, which somebody else does: what is asked for stands in `book`.
    #[must_use]
    pub fn with_flush(self, book: Arc<dyn FlushBook>, policy: FlushPolicy) -> Self {
        Self {
            flush: Some((book, policy)),
            ..self
        }
    }

    /// The same with scheduled rotations, which stand in `book`; without it the command `schedule` is refused.
    #[must_use]
    pub fn with_rotations(self, book: Arc<dyn RotationBook>) -> Self {
        Self {
            rotations: Some(book),
            ..self
        }
    }

    /// The flushes that are asked for.
    pub(crate) fn flush_policy(&self) -> Option<&FlushPolicy> {
        self.flush.as_ref().map(|(_, policy)| policy)
    }

    /// The same with those who may call the API; without, every principal that IAM lets call it.
    pub fn with_callers(mut self, config: KeyAdminConfig) -> Self {
        self.callers = Arc::new(config);
        self
    }

    /// Who may call the API.
    pub(crate) fn callers(&self) -> &KeyAdminConfig {
        &self.callers
    }

    /// For how many days counts are kept.
    pub(crate) const fn usage_kept_days(&self) -> u32 {
        self.usage_kept_days
    }

    /// The same with the key set that it publishes: that of the identity tokens of the configuration.
    #[must_use]
    pub fn with_key_set(self, key_set: Option<Value>) -> Self {
        Self {
            key_set: key_set.map(Arc::new),
            ..self
        }
    }

    /// The key set with which backends verify identity tokens (RFC 7517 section 5), where tokens are minted.
    pub fn key_set(&self) -> Option<&Value> {
        self.key_set.as_deref()
    }

    /// What holds for all keys.
    pub const fn policy(&self) -> &KeyPolicy {
        &self.policy
    }

    /// Does `command` for `caller` at `now`.
    ///
    /// Checked in this order: the command itself with all its faults, the permission and tenant of the caller, what the
    /// store knows, the life of the key.
    pub async fn run(
        &self,
        command: Command,
        caller: &Caller,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Reply, AdminError> {
        let call = Call {
            admin: self,
            caller,
            now,
            entropy,
        };
        match command {
            Command::Create(asked) => call.create(asked).await,
            Command::Rotate(asked) => call.rotate(asked).await,
            Command::Disable(asked) => call.disable(&asked).await,
            Command::Enable(asked) => call.enable(&asked).await,
            Command::Revoke(asked) => call.revoke(&asked).await,
            Command::Get(asked) => call.get(&asked).await,
            Command::List(asked) => call.list(&asked).await,
            Command::Update(asked) => call.update(&asked).await,
            Command::Delete(asked) => call.delete(&asked).await,
            Command::Verify(asked) => call.verify(&asked).await,
            Command::Audit(asked) => call.audit(&asked).await,
            Command::AuditOfTenant(asked) => call.audit_of_tenant(&asked).await,
            Command::Usage(asked) => call.usage(&asked).await,
            Command::Import(asked) => call.import(&asked).await,
            Command::ImportMany(asked) => call.import_many(&asked).await,
            Command::CreateMany(asked) => call.create_many(asked).await,
            Command::Export(asked) => call.export(&asked).await,
            Command::Schedule(asked) => call.schedule(&asked).await,
            Command::Unschedule(asked) => call.unschedule(&asked).await,
            Command::Block(asked) => {
                let done = self.blocks()?.block(&asked, caller, now, entropy);
                done.await.map(Reply::OfBlocks)
            }
            Command::Unblock(asked) => {
                let done = self.blocks()?.unblock(&asked, caller, now, entropy);
                done.await.map(Reply::OfBlocks)
            }
            Command::Blocks(asked) => {
                let shown = self.blocks()?.list(&asked, caller, now);
                shown.await.map(Reply::OfBlocks)
            }
            Command::BlockChanges(asked) => {
                let shown = self.blocks()?.changes(&asked, caller, now);
                shown.await.map(Reply::OfBlocks)
            }
        }
    }
}

/// One command being done.
pub(crate) struct Call<'a> {
    pub(crate) admin: &'a KeyAdmin,
    pub(crate) caller: &'a Caller,
    pub(crate) now: Timestamp,
    pub(crate) entropy: &'a dyn Entropy,
}

impl Call<'_> {
    fn ledger(&self) -> &dyn KeyLedger {
        self.admin.ledger()
    }

    /// The key, if it is there for the caller. A key of another tenant is answered as one that does not exist.
    async fn find(&self, id: &KeyId) -> Result<KeyRecord, AdminError> {
        let found = self.ledger().fetch(id).await?;
        found
            .filter(|record| self.caller.sees(&record.tenant))
            .ok_or_else(|| AdminError::no_key(id))
    }

    async fn get(&self, asked: &GetKey) -> Result<Reply, AdminError> {
        let id = checked(|check| check_key_ref(&asked.id, None, None, check))?;
        self.caller.require(Permission::Read)?;
        let record = self.find(&id).await?;
        let key = KeyView::of(&record, self.now);
        Ok(Reply::Key { key })
    }

    async fn list(&self, asked: &ListKeys) -> Result<Reply, AdminError> {
        let (limit, after) = checked(|check| {
            check.plain("tenant", &asked.tenant, 128);
            Some(check_list(asked.limit, asked.cursor.as_deref(), check))
        })?;
        self.caller.require(Permission::Read)?;
        self.require_tenant(&asked.tenant)?;
        let page = self
            .ledger()
            .list(&asked.tenant, limit, after.as_ref())
            .await?;
        let shown = |record| KeyView::of(record, self.now);
        Ok(Reply::Keys {
            keys: page.items.iter().map(shown).collect(),
            cursor: page.next.map(|next| next.to_string()),
        })
    }

    async fn audit(&self, asked: &ListChanges) -> Result<Reply, AdminError> {
        let (id, wanted, limit, after) = checked(|check| {
            let (limit, after) = check_list(asked.limit, asked.cursor.as_deref(), check);
            let wanted = check_filter(&Filter::from(asked), check);
            let id = check_key_ref(&asked.id, None, None, check)?;
            Some((id, wanted, limit, after))
        })?;
        self.caller.require(Permission::Read)?;
        let owner = self.ledger().owner(&id).await?;
        if !owner.is_some_and(|tenant| self.caller.sees(&tenant)) {
            return Err(AdminError::no_key(&id));
        }
        let ledger = self.ledger();
        let page = ledger
            .audit(&id, wanted.span, limit, after.as_ref())
            .await?;
        Ok(changes(&page, &wanted))
    }

    async fn audit_of_tenant(&self, asked: &ListChangesOfTenant) -> Result<Reply, AdminError> {
        let (wanted, limit, after) = checked(|check| {
            check.plain("tenant", &asked.tenant, 128);
            let (limit, after) = check_list(asked.limit, asked.cursor.as_deref(), check);
            Some((check_filter(&Filter::from(asked), check), limit, after))
        })?;
        self.caller.require(Permission::Read)?;
        self.require_tenant(&asked.tenant)?;
        let page = self
            .ledger()
            .audit_of_tenant(&asked.tenant, wanted.span, limit, after.as_ref())
            .await?;
        Ok(changes(&page, &wanted))
    }

    fn require_tenant(&self, tenant: &str) -> Result<(), AdminError> {
        if self.caller.sees(tenant) {
            Ok(())
        } else {
            let message = format!("you may not act for the tenant `{tenant}`");
            Err(AdminError::Forbidden(message))
        }
    }

    /// The reply to a request that was done before, if it was.
    async fn recalled(&self, request: Option<&Idempotency>) -> Result<Option<Reply>, AdminError> {
        let Some(request) = request else {
            return Ok(None);
        };
        match self.ledger().recall(request).await? {
            None => Ok(None),
            Some(earlier) => self.repeated(earlier).await.map(Some),
        }
    }

    async fn repeated(&self, earlier: Earlier) -> Result<Reply, AdminError> {
        match earlier {
            Earlier::Different => Err(AdminError::IdempotencyKeyUsed),
            Earlier::Same(id) => Ok(Reply::repeated(&self.find(&id).await?, self.now)),
        }
    }
}

fn changes(page: &Page<AuditEntry>, wanted: &Wanted) -> Reply {
    let entries = page.items.iter().filter(|entry| wanted.takes(entry));
    Reply::Changes {
        changes: entries.map(ChangeView::from).collect(),
        cursor: page.next.as_ref().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests;
