//! Tyk: key sessions (<https://tyk.io/docs/tyk-gateway-api/>), as an object from keys to sessions, or as a list of objects with
//! `key`, `key_id` or `key_hash` and the session beside it or in `data`; one document after the other.

use std::io::Read;

use serde_json::Value;

use super::{
    Cells, Row, Take,
    json::{self, Item, Shape, copy},
};

const SHAPE: Shape = Shape {
    lists: &["keys", "data"],
    members: true,
};
/// What the names of keys begin with in the store of Tyk.
const IN_REDIS: &str = "apikey-";

pub(super) fn rows(file: impl Read, take: Take<'_>) -> Result<(), String> {
    json::items(file, SHAPE, &mut |item| {
        // Beside lists there are numbers of pages and the like.
        if item.name.is_some() && !item.value.is_object() {
            return true;
        }
        take(Row {
            line: item.line,
            offset: item.offset,
            cells: cells(&item),
        })
    })
}

fn cells(item: &Item<'_>) -> Result<Cells, String> {
    let mut cells = Cells::new();
    let own = |name: &str| item.value.get(name).and_then(Value::as_str);
    if let Some(key) = item.name.as_deref().or(own("key")).or(own("key_id")) {
        let key = key.strip_prefix(IN_REDIS).unwrap_or(key);
        cells.insert("key".to_owned(), key.to_owned());
    } else if let Some(hash) = own("key_hash") {
        cells.insert("hash".to_owned(), hash.to_owned());
    } else {
        return Err("names no key: it has none of `key`, `key_id` and `key_hash`".to_owned());
    }
    let session = item.value.get("data").filter(|data| data.is_object());
    let session = session.unwrap_or(&item.value);
    for (member, cell) in [
        ("org_id", "org_id"),
        ("alias", "alias"),
        ("tags", "tags"),
        ("apply_policies", "apply_policies"),
        ("is_inactive", "disabled"),
    ] {
        copy(session, member, cell, &mut cells);
    }
    // 0 and -1 mean that it has no end.
    if let Some(end) = session.get("expires").and_then(Value::as_i64)
        && end > 0
    {
        cells.insert("expires_at".to_owned(), end.to_string());
    }
    let facts = session.get("meta_data").and_then(Value::as_object);
    for (name, fact) in facts.into_iter().flatten() {
        if let Some(fact) = json::text(fact, " ") {
            cells.insert(format!("meta_data.{name}"), fact);
        }
    }
    Ok(cells)
}
