//! API keys in memory, with the very semantics of the table.

mod jobs;
mod outbox;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use doorward_keys::{
    AuditEntry, AuditSpan, Cursor, Digest, Earlier, Event, Idempotency, KeyEvent, KeyId, KeyLedger,
    KeyLookup, KeyRecord, KeyStatus, Page, ScheduledRotation, StoreError, Timestamp, Trace,
    Written, lifecycle::Rotation,
};

/// API keys in memory. Each call takes one short lock, so each call is a transaction.
#[derive(Default)]
pub struct MemoryKeys {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<[u8; 32], KeyRecord>,
    digests: BTreeMap<KeyId, [u8; 32]>,
    /// By key and entry id.
    audit: BTreeMap<(KeyId, String), AuditEntry>,
    requests: HashMap<String, Request>,
    /// The digests of deleted keys, and whose they were.
    deleted: HashMap<KeyId, ([u8; 32], String)>,
    /// Under which other digests keys are known.
    moved: HashMap<[u8; 32], KeyId>,
    /// By id.
    events: BTreeMap<String, Event>,
    /// By key and name, with the end of memory.
    notices: HashMap<(KeyId, String), Timestamp>,
    schedules: BTreeMap<KeyId, ScheduledRotation>,
    flushes: BTreeSet<(String, Timestamp)>,
    places: HashMap<String, String>,
}

struct Request {
    content: String,
    made: KeyId,
    forgotten_at: Timestamp,
}

impl MemoryKeys {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // INVARIANT: a change is checked first and then made by inserts that do not fail, so a panic elsewhere under the
        // lock leaves no half of a change behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn earlier(&self, request: &Idempotency) -> Option<Earlier> {
        let known = self.requests.get(&request.name)?;
        request.compare(&known.content, known.made.clone(), known.forgotten_at)
    }

    fn check_new(&self, record: &KeyRecord) -> Result<(), StoreError> {
        if self.digests.contains_key(&record.id)
            || self.records.contains_key(record.digest.as_bytes())
            || self.deleted.contains_key(&record.id)
            || self.buried(record.digest.as_bytes())
        {
            return Err(conflict(&record.id));
        }
        Ok(())
    }

    fn buried(&self, digest: &[u8; 32]) -> bool {
        self.moved.contains_key(digest) || self.deleted.values().any(|(buried, _)| buried == digest)
    }

    fn check_free(&self, digests: &[Digest], id: &KeyId) -> Result<(), StoreError> {
        let is_taken = |place: &[u8; 32]| self.records.contains_key(place) || self.buried(place);
        if digests.iter().any(|digest| is_taken(digest.as_bytes())) {
            return Err(conflict(id));
        }
        Ok(())
    }

    fn link(&mut self, record: &KeyRecord, others: &[Digest]) {
        for other in others {
            self.moved.insert(*other.as_bytes(), record.id.clone());
        }
    }

    fn check_stored(&self, record: &KeyRecord, expected_version: u64) -> Result<(), StoreError> {
        let fits = |stored: &KeyRecord| {
            stored.id == record.id
                && stored.version == expected_version
                && stored.status != KeyStatus::Revoked
        };
        match self.records.get(record.digest.as_bytes()) {
            Some(stored) if fits(stored) => Ok(()),
            _ => Err(conflict(&record.id)),
        }
    }

    fn check_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let place = (entry.key_id.clone(), entry.id.clone());
        if self.audit.contains_key(&place) {
            return Err(conflict(&entry.key_id));
        }
        Ok(())
    }

    fn write(&mut self, record: &KeyRecord, entry: &AuditEntry) {
        let digest = *record.digest.as_bytes();
        self.records.insert(digest, record.clone());
        self.digests.insert(record.id.clone(), digest);
        let place = (entry.key_id.clone(), entry.id.clone());
        self.audit.insert(place, entry.clone());
        let event = KeyEvent::of_change(record, entry);
        self.events.insert(event.id.clone(), event.into());
    }

    fn rotate(
        &mut self,
        rotation: &Rotation,
        expected_version: u64,
        [of_old, of_new]: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        if let Some(earlier) = request.and_then(|request| self.earlier(request)) {
            return Ok(Written::Before(earlier));
        }
        self.check_stored(&rotation.old, expected_version)?;
        self.check_new(&rotation.new)?;
        self.check_audit(of_old)?;
        self.check_audit(of_new)?;
        self.write(&rotation.old, of_old);
        self.write(&rotation.new, of_new);
        self.remember(request, &rotation.new.id);
        Ok(Written::Now)
    }

    fn remember(&mut self, request: Option<&Idempotency>, made: &KeyId) {
        if let Some(request) = request {
            let remembered = Request {
                content: request.content.clone(),
                made: made.clone(),
                forgotten_at: request.expires_at(),
            };
            self.requests.insert(request.name.clone(), remembered);
        }
    }
}

#[async_trait]
impl KeyLookup for MemoryKeys {
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        let state = self.state();
        let digest = digest.as_bytes();
        let moved = || {
            let id = state.moved.get(digest)?;
            state.records.get(state.digests.get(id)?)
        };
        Ok(state.records.get(digest).or_else(moved).cloned())
    }
}

#[async_trait]
impl KeyLedger for MemoryKeys {
    async fn fetch(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let state = self.state();
        let digest = state.digests.get(id);
        Ok(digest.and_then(|digest| state.records.get(digest)).cloned())
    }

    async fn owner(&self, id: &KeyId) -> Result<Option<String>, StoreError> {
        let state = self.state();
        let record = state
            .digests
            .get(id)
            .and_then(|digest| state.records.get(digest));
        let deleted = || state.deleted.get(id).map(|(_, tenant)| tenant.clone());
        Ok(record.map(|record| record.tenant.clone()).or_else(deleted))
    }

    async fn recall(&self, request: &Idempotency) -> Result<Option<Earlier>, StoreError> {
        Ok(self.state().earlier(request))
    }

    async fn create(
        &self,
        record: &KeyRecord,
        audit: &AuditEntry,
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        let mut state = self.state();
        if let Some(earlier) = request.and_then(|request| state.earlier(request)) {
            return Ok(Written::Before(earlier));
        }
        state.check_new(record)?;
        state.check_audit(audit)?;
        state.write(record, audit);
        state.remember(request, &record.id);
        Ok(Written::Now)
    }

    async fn replace(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        state.check_stored(record, expected_version)?;
        state.check_audit(audit)?;
        state.write(record, audit);
        Ok(())
    }

    async fn delete(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let digest = *record.digest.as_bytes();
        match state.records.get(&digest) {
            Some(stored) if stored.id == record.id && stored.version == expected_version => {}
            _ => return Err(conflict(&record.id)),
        }
        state.check_audit(audit)?;
        state.write(record, audit);
        state.records.remove(&digest);
        state.digests.remove(&record.id);
        let buried = (digest, record.tenant.clone());
        state.deleted.insert(record.id.clone(), buried);
        Ok(())
    }

    async fn trace(&self, digest: &Digest) -> Result<Option<Trace>, StoreError> {
        let state = self.state();
        let digest = digest.as_bytes();
        if let Some(record) = state.records.get(digest) {
            return Ok(Some(Trace::Here(Box::new(record.clone()))));
        }
        let mut deleted = state.deleted.iter();
        let deleted = deleted.find(|(_, (buried, _))| buried == digest);
        let moved = || state.moved.get(digest).cloned();
        let gone = deleted.map(|(id, _)| id.clone()).or_else(moved);
        Ok(gone.map(Trace::Gone))
    }

    async fn import(
        &self,
        record: &KeyRecord,
        others: &[Digest],
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        state.check_new(record)?;
        state.check_free(others, &record.id)?;
        state.check_audit(audit)?;
        state.write(record, audit);
        state.link(record, others);
        Ok(())
    }

    async fn rehash(
        &self,
        record: &KeyRecord,
        from: &Digest,
        others: &[Digest],
        expected_version: u64,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let former = KeyRecord {
            digest: from.clone(),
            ..record.clone()
        };
        state.check_stored(&former, expected_version)?;
        state.check_free(others, &record.id)?;
        if record.digest != *from {
            state.check_free(std::slice::from_ref(&record.digest), &record.id)?;
        }
        state.check_audit(audit)?;
        if record.digest != *from {
            state.records.remove(from.as_bytes());
            state.link(record, std::slice::from_ref(from));
        }
        state.write(record, audit);
        state.link(record, others);
        Ok(())
    }

    async fn rotate(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        self.state()
            .rotate(rotation, expected_version, audit, request)
    }

    async fn list(
        &self,
        tenant: &str,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let mut records: Vec<(String, KeyRecord)> = self
            .state()
            .records
            .values()
            .filter(|record| record.tenant == tenant)
            .map(|record| (record.list_position(), record.clone()))
            .collect();
        records.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(page(records, limit, after))
    }

    async fn audit(
        &self,
        id: &KeyId,
        span: AuditSpan,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let (first, behind) = span.ids();
        let entries = self
            .state()
            .audit
            .values()
            .filter(|entry| entry.key_id == *id && (&first..&behind).contains(&&entry.id))
            .map(|entry| (entry.id.clone(), entry.clone()))
            .collect();
        Ok(page(entries, limit, after))
    }

    async fn audit_of_tenant(
        &self,
        tenant: &str,
        span: AuditSpan,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let (first, behind) = span.ids();
        let mut entries: Vec<(String, AuditEntry)> = self
            .state()
            .audit
            .values()
            .filter(|entry| entry.tenant == tenant && (&first..&behind).contains(&&entry.id))
            .map(|entry| (format!("{}#{}", entry.id, entry.key_id), entry.clone()))
            .collect();
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(page(entries, limit, after))
    }
}

/// The part of `sorted`, given with its positions, behind `after`.
fn page<T>(sorted: Vec<(String, T)>, limit: usize, after: Option<&Cursor>) -> Page<T> {
    let mut rest = sorted
        .into_iter()
        .skip_while(|(position, _)| {
            after.is_some_and(|after| position.as_str() <= after.position())
        })
        .peekable();
    let mut items = Vec::new();
    let mut last = None;
    while items.len() < limit.max(1) {
        let Some((position, item)) = rest.next() else {
            break;
        };
        items.push(item);
        last = Some(position);
    }
    Page {
        items,
        next: last.filter(|_| rest.peek().is_some()).map(Cursor::behind),
    }
}

fn conflict(id: &KeyId) -> StoreError {
    StoreError::Conflict(format!("`{id}` was written by somebody else"))
}
