//! Comma-separated values (RFC 4180). The first line names the columns, in any order and any case.

use std::fs::File;

use super::{Cells, Row, Take, column};

pub(super) fn rows(file: File, take: Take<'_>) -> Result<(), String> {
    let mut sheet = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let names = sheet.byte_headers().map_err(|error| error.to_string())?;
    let names: Vec<String> = names
        .iter()
        .map(|name| column(&String::from_utf8_lossy(name)))
        .collect();
    let mut record = csv::ByteRecord::new();
    loop {
        match sheet.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
        let row = Row {
            line: record.position().map_or(0, csv::Position::line),
            offset: sheet.position().byte(),
            cells: cells(&names, &record),
        };
        if !take(row) {
            return Ok(());
        }
    }
}

fn cells(names: &[String], record: &csv::ByteRecord) -> Result<Cells, String> {
    if record.len() != names.len() {
        let (found, expected) = (record.len(), names.len());
        return Err(format!("has {found} values, expected {expected}"));
    }
    let pairs = names.iter().zip(record);
    pairs
        .map(|(name, cell)| match std::str::from_utf8(cell) {
            Ok(cell) => Ok((name.clone(), cell.to_owned())),
            Err(_) => Err("is not UTF-8".to_owned()),
        })
        .collect()
}
