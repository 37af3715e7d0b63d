//! `doorward keys export`.

use doorward_key_admin::{
    Reply,
    command::{ExportKeys, MAX_MANY},
    reply::ExportedKey,
};

use super::{
    Desk,
    args::{Export, ExportFormat},
};
use crate::{
    commands::keys::usage::csv::field,
    exit::{Exit, Failure},
    output,
};

const COLUMNS: [&str; 16] = [
    "id",
    "tenant",
    "name",
    "environment",
    "status",
    "scopes",
    "routes",
    "addresses",
    "created_at",
    "expires_at",
    "plan",
    "rotated_from",
    "rotated_to",
    "decoy",
    "has_usage_plan_key",
    "digest",
];

/// Writes all keys of the tenants to standard output.
///
/// # Errors
/// When the table or the API does not answer; it is said where to go on.
pub(in crate::commands::keys) async fn export(
    desk: &Desk<'_>,
    asked: Export,
) -> Result<(), Failure> {
    if asked.format == ExportFormat::Csv && asked.cursor.is_none() {
        output::exactly(&format!("{}\r\n", COLUMNS.join(",")))?;
    }
    let mut count = 0_usize;
    let mut cursor = asked.cursor;
    for tenant in &asked.tenants {
        loop {
            let part = ExportKeys {
                tenant: tenant.clone(),
                limit: u32::try_from(MAX_MANY).ok(),
                cursor: cursor.clone(),
                with_digests: asked.with_digests,
            };
            let reply = desk.export(part).await;
            let reply = reply.map_err(|failure| interrupted(failure, tenant, cursor.as_deref()))?;
            let Reply::Exported {
                exported: keys,
                cursor: next,
            } = reply
            else {
                return Err(Failure::unavailable(
                    "key administration answered something else",
                ));
            };
            count += keys.len();
            for key in &keys {
                output::exactly(&line(key, asked.format)?)?;
            }
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
    }
    output::say(&format!("{count} keys"));
    Ok(())
}

fn interrupted(failure: Failure, tenant: &str, cursor: Option<&str>) -> Failure {
    if failure.exit != Exit::Unavailable {
        return failure;
    }
    let go_on = match cursor {
        None => format!("go on with --tenant {tenant}"),
        Some(cursor) => format!("go on with --tenant {tenant} --cursor {cursor}"),
    };
    Failure::unavailable(format!("{failure}; {go_on}"))
}

fn line(key: &ExportedKey, format: ExportFormat) -> Result<String, Failure> {
    if format == ExportFormat::Jsonl {
        let text = serde_json::to_string(key).map_err(Failure::unavailable)?;
        return Ok(text + "\n");
    }
    let view = &key.key;
    // An empty list is none at all; an absent one says nothing.
    let list = |values: &[String], between: &str| match values {
        [] => "none".to_owned(),
        values => values.join(between),
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells: [String; 16] = [
        view.id.clone(),
        view.tenant.clone(),
        view.name.clone(),
        view.environment.clone(),
        view.status.to_string(),
        list(&view.scopes, " "),
        view.routes
            .as_ref()
            .map(|routes| list(routes, ";"))
            .unwrap_or_default(),
        view.addresses
            .as_ref()
            .map(|ranges| list(ranges, " "))
            .unwrap_or_default(),
        view.created_at.to_string(),
        view.expires_at
            .map(|end| end.to_string())
            .unwrap_or_default(),
        text(&view.plan),
        text(&view.rotated_from),
        text(&view.rotated_to),
        view.decoy.to_string(),
        view.has_usage_plan_key.to_string(),
        text(&key.digest),
    ];
    Ok(cells.map(|cell| field(&cell)).join(",") + "\r\n")
}
