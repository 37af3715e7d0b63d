//! What the table holds afterwards, against what was answered.

use std::collections::{BTreeMap, BTreeSet};

use doorward_keys::{
    AuditAction, AuditEntry, AuditSpan, Cursor, EventKind, KeyEvent, KeyId, KeyLedger as _,
    KeyLookup as _, KeyRecord, KeyStatus,
};

use crate::{
    foreign::Foreign,
    world::{TENANT, World},
};

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
    let events = events(world).await;
    every_audited_change_is_an_event(&events, &audit);
    what_was_brought_is_one_key(world, &events).await;
    successors_are_where_they_were_to_go(world, &records, &audit).await;
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

/// Every event, whether the bus heard it or it waits. The bus may hear one twice, and what it heard may wait on: the same in any case.
async fn events(world: &World) -> BTreeMap<String, KeyEvent> {
    let heard = world.bus.heard.lock().unwrap().clone();
    let waiting = doorward_tests::keys::waiting(&world.table, 100).await;
    let mut all: BTreeMap<String, KeyEvent> = BTreeMap::new();
    for event in heard.into_iter().chain(waiting) {
        let id = event.id.clone();
        if let Some(before) = all.insert(id, event.clone()) {
            assert_eq!(before, event);
        }
    }
    all
}

fn every_audited_change_is_an_event(events: &BTreeMap<String, KeyEvent>, audit: &Audit) {
    let entries = audit.values().flatten();
    let expected: BTreeSet<String> = entries
        .map(|entry| format!("{}#{}", entry.id, entry.key_id))
        .collect();
    // Others tell of what nobody did.
    let of_nobody = [EventKind::KeyExpired, EventKind::KeyRotationDue];
    let seen = events
        .iter()
        .filter(|(_, event)| !of_nobody.contains(&event.kind));
    let seen: BTreeSet<String> = seen.map(|(id, _)| id.clone()).collect();
    assert_eq!(seen, expected);
}

/// However often and by whichever digest a key was brought, it is one key, and one that ended does not come back.
async fn what_was_brought_is_one_key(world: &World, events: &BTreeMap<String, KeyEvent>) {
    let mut moved = 0;
    for foreign in Foreign::all() {
        let brought = events
            .values()
            .filter(|event| event.kind == EventKind::KeyImported && event.name == foreign.name);
        let ids: BTreeSet<&KeyId> = brought.map(|event| &event.key_id).collect();
        assert!(
            ids.len() <= 1,
            "{} was brought twice: {ids:?}",
            foreign.name
        );
        if let Some(record) = foreign.record(world).await {
            assert_eq!(ids.first(), Some(&&record.id), "{}", foreign.name);
        }
        moved += events
            .values()
            .filter(|event| {
                event.name == foreign.name && event.actor.as_deref() == Some("authorizer")
            })
            .count();
    }
    println!("{moved} keys moved at their first use");
}

/// The printed successor of a rotation that came by itself is in the secret, and nothing became current that is no key.
async fn successors_are_where_they_were_to_go(
    world: &World,
    records: &BTreeMap<KeyId, KeyRecord>,
    audit: &Audit,
) {
    let version = |id: &KeyId| format!("doorward-{}", id.as_str().trim_start_matches("key_"));
    let versions = world.vault.versions.lock().unwrap().clone();
    let mut known = BTreeSet::new();
    let mut count = 0;
    for (id, entries) in audit {
        known.insert(version(id));
        let is_by_itself = |entry: &AuditEntry| {
            entry.action == AuditAction::Create && entry.actor.starts_with("schedule by ")
        };
        if !entries.iter().any(is_by_itself) {
            continue;
        }
        count += 1;
        let printed = &versions[&version(id)];
        let digest = world.format().parse(printed).unwrap();
        let found = world.table.lookup(&digest).await.unwrap();
        assert_eq!(found.as_ref(), records.get(id), "{id} is not in the secret");
    }
    for current in world.vault.current.lock().unwrap().iter() {
        assert!(known.contains(current), "{current} opens nothing");
    }
    assert!(count > 0, "none was rotated by itself");
    println!("{count} keys were rotated by themselves");
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
