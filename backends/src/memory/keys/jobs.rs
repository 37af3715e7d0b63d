//! What is remembered for what happens by itself.

use async_trait::async_trait;
use doorward_keys::{
    AuditEntry, Cursor, Day, FlushBook, Idempotency, JobPlaces, KeyId, KeyRecord, Page,
    RotationBook, ScheduledRotation, StoreError, Timestamp, Written, lifecycle::Rotation,
};

use super::{MemoryKeys, State, conflict, page};

#[async_trait]
impl FlushBook for MemoryKeys {
    async fn ask(&self, stage: &str, from: Timestamp) -> Result<(), StoreError> {
        self.state().flushes.insert((stage.to_owned(), from));
        Ok(())
    }

    async fn due(
        &self,
        stage: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let held = self.state();
        let due = held
            .flushes
            .iter()
            .filter(|(of, from)| of == stage && *from <= now);
        Ok(due.map(|(_, from)| *from).take(limit.max(1)).collect())
    }

    async fn done(&self, stage: &str, from: Timestamp) -> Result<(), StoreError> {
        self.state().flushes.remove(&(stage.to_owned(), from));
        Ok(())
    }
}

#[async_trait]
impl JobPlaces for MemoryKeys {
    async fn place(&self, job: &str) -> Result<Option<String>, StoreError> {
        Ok(self.state().places.get(job).cloned())
    }

    async fn keep_place(&self, job: &str, place: &str) -> Result<(), StoreError> {
        let places = &mut self.state().places;
        places.insert(job.to_owned(), place.to_owned());
        Ok(())
    }
}

impl State {
    fn leave(&mut self, id: &KeyId, left: Option<&ScheduledRotation>) {
        match left {
            None => self.schedules.remove(id),
            Some(left) => self.schedules.insert(id.clone(), left.clone()),
        };
    }
}

#[async_trait]
impl RotationBook for MemoryKeys {
    async fn scheduled(&self, id: &KeyId) -> Result<Option<ScheduledRotation>, StoreError> {
        Ok(self.state().schedules.get(id).cloned())
    }

    async fn schedule(
        &self,
        record: &KeyRecord,
        expected_version: u64,
        rotation: Option<&ScheduledRotation>,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        state.check_stored(record, expected_version)?;
        state.check_audit(audit)?;
        state.write(record, audit);
        state.leave(&record.id, rotation);
        Ok(())
    }

    async fn due(
        &self,
        day: Day,
        until: Timestamp,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<KeyId>, StoreError> {
        let state = self.state();
        let due = state.schedules.values().filter_map(|rotation| {
            let (of, position) = rotation.calendar_position()?;
            (of == day && rotation.at <= until).then(|| (position, rotation.key_id.clone()))
        });
        let mut due: Vec<(String, KeyId)> = due.collect();
        due.sort();
        Ok(page(due, limit, after))
    }

    async fn rotate_scheduled(
        &self,
        rotation: &Rotation,
        expected_version: u64,
        audit: &[AuditEntry; 2],
        request: Option<&Idempotency>,
        left: Option<&ScheduledRotation>,
        next: Option<&ScheduledRotation>,
    ) -> Result<Written, StoreError> {
        let mut state = self.state();
        let written = state.rotate(rotation, expected_version, audit, request)?;
        if written == Written::Now {
            state.leave(&rotation.old.id, left);
            state.leave(&rotation.new.id, next);
        }
        Ok(written)
    }

    async fn settle(
        &self,
        before: &ScheduledRotation,
        left: Option<&ScheduledRotation>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let id = &before.key_id;
        match state.schedules.get(id) {
            Some(stored) if stored.at == before.at && stored.state == before.state => {
                state.leave(id, left);
            }
            _ => return Err(conflict(id)),
        }
        Ok(())
    }
}
