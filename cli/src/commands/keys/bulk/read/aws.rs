//! API Gateway: the [API key file], or the JSON that `aws apigateway get-api-keys --include-values` prints.
//!
//! [API key file]: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-file-format.html

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Seek as _},
};

use serde_json::Value;

use super::{
    Cells, Row, Take,
    json::{self, Shape, copy},
    sheet,
};

const SHAPE: Shape = Shape {
    lists: &["items"],
    members: false,
};

pub(super) fn rows(file: File, take: Take<'_>) -> Result<(), String> {
    let mut reader = BufReader::new(file);
    let begin = reader.fill_buf().map_err(|error| error.to_string())?;
    let begin = begin.iter().find(|byte| !byte.is_ascii_whitespace());
    // No column of the API key file has a name that begins so.
    let is_json = matches!(begin, Some(b'{' | b'['));
    reader.rewind().map_err(|error| error.to_string())?;
    if !is_json {
        return sheet::rows(reader.into_inner(), take);
    }
    json::items(reader, SHAPE, &mut |item| {
        take(Row {
            line: item.line,
            offset: item.offset,
            cells: cells(&item.value),
        })
    })
}

fn cells(found: &Value) -> Result<Cells, String> {
    let mut cells = Cells::new();
    copy(found, "value", "key", &mut cells);
    if cells.is_empty() {
        return Err("has no `value`; ask for the keys with --include-values".to_owned());
    }
    for (member, cell) in [
        ("id", "id"),
        ("name", "name"),
        ("enabled", "enabled"),
        ("customerId", "customerid"),
    ] {
        copy(found, member, cell, &mut cells);
    }
    let tags = found.get("tags").and_then(Value::as_object);
    for (name, tag) in tags.into_iter().flatten() {
        if let Some(tag) = json::text(tag, " ") {
            cells.insert(format!("tags.{}", name.to_ascii_lowercase()), tag);
        }
    }
    Ok(cells)
}
