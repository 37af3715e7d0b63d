//! Kong: declarative configuration with credentials inside consumers (as `deck` writes it) or beside them (as `kong config
//! db_export` does), and the lists of the Admin API (<https://developer.konghq.com/plugins/key-auth/>).

use std::{collections::HashMap, io::Read};

use serde_json::Value;

use super::{
    Cells, Row, Take,
    json::{self, Item, Shape, copy},
};

const SHAPE: Shape = Shape {
    lists: &["consumers", "keyauth_credentials", "data"],
    members: false,
};

pub(super) fn rows(file: impl Read, take: Take<'_>) -> Result<(), String> {
    // Credentials beside consumers name these by id; what people call them is remembered.
    let mut names: HashMap<String, String> = HashMap::new();
    json::items(file, SHAPE, &mut |item| {
        if item.list != "consumers" {
            let cells = credential(&item.value, &names);
            return take(row(&item, cells));
        }
        let name = called(&item.value);
        if let (Some(id), Some(name)) = (member(&item.value, "id"), &name) {
            names.insert(id.to_owned(), name.clone());
        }
        let inside = item
            .value
            .get("keyauth_credentials")
            .and_then(Value::as_array);
        inside.into_iter().flatten().all(|found| {
            let cells = credential(found, &names).map(|mut cells| {
                copy(&item.value, "custom_id", "custom_id", &mut cells);
                cells.extend(name.clone().map(|name| ("consumer".to_owned(), name)));
                cells
            });
            take(row(&item, cells))
        })
    })
}

fn row(item: &Item<'_>, cells: Result<Cells, String>) -> Row {
    Row {
        line: item.line,
        offset: item.offset,
        cells,
    }
}

fn credential(found: &Value, names: &HashMap<String, String>) -> Result<Cells, String> {
    let mut cells = Cells::new();
    copy(found, "key", "key", &mut cells);
    if cells.is_empty() {
        return Err("is no key-auth credential: it has no `key`".to_owned());
    }
    copy(found, "id", "id", &mut cells);
    copy(found, "tags", "tags", &mut cells);
    // A consumer is named by its id or its name, or is an object with one of these.
    let consumer = found.get("consumer").and_then(|consumer| match consumer {
        Value::String(consumer) => Some(consumer.clone()),
        Value::Object(_) => called(consumer).or_else(|| member(consumer, "id").map(str::to_owned)),
        _ => None,
    });
    if let Some(consumer) = consumer {
        let name = names.get(&consumer).cloned().unwrap_or(consumer);
        cells.insert("consumer".to_owned(), name);
    }
    let number = |name: &str| found.get(name).and_then(Value::as_i64);
    if let (Some(made_at), Some(lives)) = (number("created_at"), number("ttl")) {
        let end = made_at.saturating_add(lives).to_string();
        cells.insert("expires_at".to_owned(), end);
    }
    Ok(cells)
}

fn called(consumer: &Value) -> Option<String> {
    let name = member(consumer, "username").or_else(|| member(consumer, "custom_id"));
    name.map(str::to_owned)
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}
