//! What the table holds afterwards, against what was answered.

use std::collections::{BTreeMap, BTreeSet};

use doorward_keys::{
    AuditAction, AuditEntry, AuditSpan, Cursor, KeyId, KeyLedger as _, KeyLookup as _, KeyRecord,
    KeyStatus,
};

use crate::world::{TENANT, World};

pub(crate) async fn check(world: &World) {
    let records = records(world).await;
    let audit = audit(world).await;
    println!(
        "{} keys live, {} were deleted, {} changes, {} calls without answer",
        records.len(),
        audit.len() - records.len(),
        audit.values().map(Vec::len).sum::<usize>(),
        world.heard.lock().unwrap().silences
    );
    every_change_is_audited_once_and_in_order(&records, &audit);
    the_audit_explains_the_state(&records, &audit);
    links_lead_both_ways(&records, &audit);
    every_audited_change_is_an_event(world, &audit).await;
    every_answer_was_true(world, &records, &audit).await;
}

type Audit = BTreeMap<KeyId, Vec<AuditEntry>>;

async fn records(world: &World) -> BTreeMap<KeyId, KeyRecord> {
    let mut all = BTreeMap::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = world.table.list(TENANT, 100, after.as_ref()).await.unwrap();
        all.extend(page.items.into_iter().map(|key| (key.id.clone(), key)));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn audit(world: &World) -> Audit {
    let mut all = Audit::new();
    let mut after: Option<Cursor> = None;
    loop {
        let span = AuditSpan::default();
        let page = world
            .table
            .audit_of_tenant(TENANT, span, 100, after.as_ref());
        let page = page.await.unwrap();
        for entry in page.items {
            all.entry(entry.key_id.clone()).or_default().push(entry);
        }
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn every_change_is_audited_once_and_in_order(records: &BTreeMap<KeyId, KeyRecord>, audit: &Audit) {
    for (id, entries) in audit {
        let mut versions: Vec<u64> = entries.iter().map(|entry| entry.version).collect();
        versions.sort_unstable();
        let expected: Vec<u64> = (1..=u64::try_from(entries.len()).unwrap()).collect();
        assert_eq!(versions, expected, "{id}");
        if let Some(record) = records.get(id) {
            assert_eq!(record.version, *expected.last().unwrap(), "{id}");
        }
    }
    for id in records.keys() {
        assert!(audit.contains_key(id), "{id} has no audit");
    }
}

fn the_audit_explains_the_state(records: &BTreeMap<KeyId, KeyRecord>, audit: &Audit) {
    for (id, entries) in audit {
        let mut entries = entries.clone();
        entries.sort_by_key(|entry| entry.version);
        let mut status = KeyStatus::Active;
        let mut is_deleted = false;
        for entry in &entries {
            assert!(!is_deleted, "{id} was changed after it was deleted");
            assert!(
                status != KeyStatus::Revoked || entry.action == AuditAction::Delete,
                "{id} was changed after it was revoked"
            );
            match entry.action {
                AuditAction::Disable => status = KeyStatus::Disabled,
                AuditAction::Enable => status = KeyStatus::Active,
                AuditAction::Revoke => status = KeyStatus::Revoked,
                AuditAction::Delete => is_deleted = true,
                _ => {}
            }
        }
        let stored = records.get(id).map(|record| record.status);
        assert_eq!(stored, (!is_deleted).then_some(status), "{id}");
    }
}

fn links_lead_both_ways(records: &BTreeMap<KeyId, KeyRecord>, audit: &Audit) {
    for record in records.values() {
        if let Some(next) = &record.rotated_to {
            assert!(audit.contains_key(next), "{} leads nowhere", record.id);
            if let Some(next) = records.get(next) {
                assert_eq!(next.rotated_from.as_ref(), Some(&record.id));
            }
        }
    }
    // One request makes one key: a name is given once, and handed on by rotation only.
    let mut names = BTreeSet::new();
    for record in records.values().filter(|key| key.rotated_from.is_none()) {
        assert!(names.insert(&record.name), "{} was made twice", record.name);
    }
    let mut successors = BTreeSet::new();
    for record in records.values() {
        if let Some(old) = &record.rotated_from {
            assert!(successors.insert(old), "{old} has two successors");
        }
    }
}

async fn every_audited_change_is_an_event(world: &World, audit: &Audit) {
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for entry in audit.values().flatten() {
        expected.insert(format!("{}#{}", entry.id, entry.key_id));
    }
    let mut seen = BTreeSet::new();
    for event in doorward_tests::keys::waiting(&world.table, 100).await {
        assert!(seen.insert(event.id.clone()), "{} twice", event.id);
    }
    assert_eq!(seen, expected);
}

async fn every_answer_was_true(world: &World, records: &BTreeMap<KeyId, KeyRecord>, audit: &Audit) {
    let heard = std::mem::take(&mut *world.heard.lock().unwrap());
    for (id, version) in &heard.changes {
        let entries = &audit[&KeyId::parse(id).unwrap()];
        let count = entries.iter().filter(|entry| entry.version == *version);
        assert_eq!(count.count(), 1, "{id} version {version} was lost");
    }
    let mut secrets = BTreeSet::new();
    for (id, secret) in &heard.secrets {
        assert!(secrets.insert(secret), "a secret was shown twice");
        let digest = world.admin.policy().format.parse(secret).unwrap();
        let id = KeyId::parse(id).unwrap();
        let found = world.table.lookup(&digest).await.unwrap();
        assert_eq!(
            found.as_ref(),
            records.get(&id),
            "{id} is not under its secret"
        );
    }
    for id in &heard.revoked {
        let record = records.get(&KeyId::parse(id).unwrap());
        assert!(
            record.is_none_or(|record| record.status == KeyStatus::Revoked),
            "{id} is alive"
        );
    }
    for id in &heard.deleted {
        assert!(!records.contains_key(&KeyId::parse(id).unwrap()), "{id}");
    }
    assert!(!heard.changes.is_empty() && !heard.revoked.is_empty());
}
