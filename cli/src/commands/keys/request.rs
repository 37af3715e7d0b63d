//! From arguments to commands of key administration, which checks them.

use std::collections::BTreeMap;

use doorward_key_admin::{
    Command,
    command::{
        By, ChangeKey, CreateKey, GetKey, ListChanges, ListChangesOfTenant, ListKeys, ReadUsage,
        RotateKey, VerifyKey,
    },
};
use doorward_keys::Timestamp;

use super::args::{Action, Audit, Change, Create, Step, Usage};
use crate::{args::scopes, exit::Failure, input};

/// The command; a key that names no environment gets `environment`.
pub(super) fn command(
    action: Action,
    environment: Option<&str>,
    now: Timestamp,
) -> Result<Command, Failure> {
    Ok(match action {
        Action::Import(_) | Action::Export(_) => return Err(many()),
        Action::Create(create) if create.many.from.is_some() => return Err(many()),
        Action::Create(create) => Command::Create(created(create, environment)?),
        Action::Get(one) => Command::Get(GetKey { id: one.id }),
        Action::List(list) => Command::List(ListKeys {
            tenant: list.tenant,
            limit: list.limit,
            cursor: list.cursor,
        }),
        Action::Rotate(rotate) => Command::Rotate(RotateKey {
            id: rotate.id,
            overlap_seconds: rotate
                .overlap
                .map(|seconds| {
                    u32::try_from(seconds).map_err(|_| Failure::usage("the overlap is too long"))
                })
                .transpose()?,
            expires_in_days: rotate.expires_in_days,
            expected_version: rotate.expected_version,
            reason: rotate.reason,
            idempotency_key: rotate.idempotency_key,
        }),
        Action::Schedule(schedule) => schedule.into_command(now)?,
        Action::Disable(change) => Command::Disable(changed(change)),
        Action::Enable(change) => Command::Enable(changed(change)),
        Action::Revoke(change) => Command::Revoke(changed(change)),
        Action::Update(update) => Command::Update(update.into_command(now)?),
        Action::Delete(delete) => Command::Delete(changed(delete.change)),
        Action::Verify => Command::Verify(VerifyKey {
            key: input::line("the key")?,
        }),
        Action::Audit(audit) => audited(audit, now),
        Action::Pattern => {
            return Err(Failure::usage(
                "the pattern is made from the configuration; leave out --api",
            ));
        }
        Action::Usage(usage) => Command::Usage(used(usage, now)),
    })
}

fn many() -> Failure {
    Failure::usage("many keys at once are not one command")
}

fn audited(audit: Audit, now: Timestamp) -> Command {
    let from = audit.since.map(|since| since.from(now).unix());
    let to = audit.until.map(|until| until.from(now).unix());
    match (audit.id, audit.tenant) {
        (None, Some(tenant)) => Command::AuditOfTenant(ListChangesOfTenant {
            tenant,
            action: audit.action,
            actor: audit.actor,
            from,
            to,
            limit: audit.limit,
            cursor: audit.cursor,
        }),
        (id, _) => Command::Audit(ListChanges {
            id: id.unwrap_or_default(),
            action: audit.action,
            actor: audit.actor,
            from,
            to,
            limit: audit.limit,
            cursor: audit.cursor,
        }),
    }
}

fn used(usage: Usage, now: Timestamp) -> ReadUsage {
    ReadUsage {
        id: usage.id,
        by: Some(match usage.by {
            Step::Hour => By::Hour,
            Step::Day => By::Day,
            Step::Month => By::Month,
        }),
        from: usage.since.map(|since| since.from(now).unix()),
        to: usage.until.map(|until| until.from(now).unix()),
    }
}

fn created(create: Create, environment: Option<&str>) -> Result<CreateKey, Failure> {
    Ok(CreateKey {
        tenant: create.tenant.unwrap_or_default(),
        name: create.name.unwrap_or_default(),
        environment: create
            .environment
            .or_else(|| environment.map(str::to_owned))
            .ok_or_else(|| Failure::usage("name the environment of the key with --environment"))?,
        scopes: scopes(&create.scopes),
        routes: Some(create.routes).filter(|routes| !routes.is_empty()),
        addresses: Some(create.addresses).filter(|addresses| !addresses.is_empty()),
        expires_in_days: create.expires_in_days,
        usage_plan_key: create.usage_plan_key,
        plan: create.plan,
        decoy: create.decoy,
        metadata: create
            .metadata
            .iter()
            .map(|fact| read_fact(fact))
            .collect::<Result<BTreeMap<_, _>, _>>()?,
        idempotency_key: create.idempotency_key,
    })
}

pub(super) fn read_fact(text: &str) -> Result<(String, String), Failure> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("`{text}` is no fact; write `NAME=TEXT`")))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn changed(change: Change) -> ChangeKey {
    ChangeKey {
        id: change.id,
        expected_version: change.expected_version,
        reason: change.reason,
    }
}
