//! JSON without holding all of it: lists and members are handed on one at a time.

use std::{
    cell::Cell,
    fmt,
    io::{self, Read},
    rc::Rc,
};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use super::{Cells, column};

/// Something in the file.
pub(super) struct Item<'n> {
    /// The list in which it stands; empty where the document is the list.
    pub(super) list: &'n str,
    /// Its name, where it stands among others by name.
    pub(super) name: Option<String>,
    /// The line on which it begins.
    pub(super) line: u64,
    /// How many bytes were read with it.
    pub(super) offset: u64,
    /// What it is.
    pub(super) value: Value,
}

/// What of a document is looked at.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Members of the document that are lists of items.
    pub(super) lists: &'static [&'static str],
    /// Whether its other members are items too.
    pub(super) members: bool,
}

/// Hands on each item of the documents in `file`, which stand one after the other.
pub(super) fn items(
    file: impl Read,
    shape: Shape,
    take: &mut dyn FnMut(Item<'_>) -> bool,
) -> Result<(), String> {
    let place = Place::default();
    let counted = Counted {
        file,
        place: place.clone(),
    };
    let mut reader = serde_json::Deserializer::from_reader(counted);
    while reader.end().is_err() {
        let tree = Tree {
            place: &place,
            shape,
            list: None,
            take,
        };
        match tree.deserialize(&mut reader) {
            Ok(()) => {}
            Err(_) if place.stopped.get() => return Ok(()),
            // The message names a place, and of the text no more than a character.
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// How far the reader is.
#[derive(Clone, Default)]
struct Place {
    lines: Rc<Cell<u64>>,
    bytes: Rc<Cell<u64>>,
    stopped: Rc<Cell<bool>>,
}

struct Counted<R> {
    file: R,
    place: Place,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        let ends = read.split(|byte| *byte == b'\n').skip(1).count() as u64;
        self.place.lines.set(self.place.lines.get() + ends);
        self.place.bytes.set(self.place.bytes.get() + count as u64);
        Ok(count)
    }
}

/// Walks a document, or one of its lists.
struct Tree<'t> {
    place: &'t Place,
    shape: Shape,
    /// The list that is walked.
    list: Option<&'t str>,
    take: &'t mut dyn FnMut(Item<'_>) -> bool,
}

impl Tree<'_> {
    fn item<E: serde::de::Error>(
        &mut self,
        name: Option<String>,
        (line, value): (u64, Value),
    ) -> Result<(), E> {
        let item = Item {
            list: self.list.unwrap_or_default(),
            name,
            line,
            offset: self.place.bytes.get(),
            value,
        };
        if (self.take)(item) {
            Ok(())
        } else {
            self.place.stopped.set(true);
            Err(E::custom("no more is wanted"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(found) = list.next_element_seed(Placed(self.place))? {
            self.item(None, found)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        if let Some(list) = self.list {
            return Err(A::Error::custom(format!("`{list}` is not a list")));
        }
        while let Some(name) = members.next_key::<String>()? {
            let list = self.shape.lists.iter().find(|list| **list == name);
            if let Some(list) = list {
                let tree = Tree {
                    place: self.place,
                    shape: self.shape,
                    list: Some(list),
                    take: &mut *self.take,
                };
                members.next_value_seed(tree)?;
            } else if self.shape.members {
                let found = members.next_value_seed(Placed(self.place))?;
                self.item(Some(name), found)?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A value and the line on which it begins.
struct Placed<'p>(&'p Place);

impl<'de> DeserializeSeed<'de> for Placed<'_> {
    type Value = (u64, Value);

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        let line = self.0.lines.get() + 1;
        Ok((line, serde::Deserialize::deserialize(reader)?))
    }
}

/// A text, or a number as text; several in a list are joined by `between`.
pub(super) fn text(value: &Value, between: &str) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        // An empty list says that there is nothing, which is another thing than to say nothing.
        Value::Array(items) if items.is_empty() => Some("none".to_owned()),
        Value::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| text(item, between)).collect();
            texts.map(|texts| texts.join(between))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Copies `member` of `object` to `cell`, if it is there.
pub(super) fn copy(object: &Value, member: &str, cell: &str, cells: &mut Cells) {
    if let Some(text) = object.get(member).and_then(|value| text(value, " ")) {
        cells.insert(cell.to_owned(), text);
    }
}

/// The cells of a line that `export` wrote.
pub(super) fn exported(line: &str) -> Result<Cells, String> {
    let value: Value = serde_json::from_str(line).map_err(|_| "is not JSON".to_owned())?;
    let mut cells = Cells::new();
    for (member, cell) in [
        ("digest", "digest"),
        ("tenant", "tenant"),
        ("name", "name"),
        ("environment", "environment"),
        ("scopes", "scopes"),
        ("addresses", "addresses"),
        ("expiresAt", "expires_at"),
        ("plan", "plan"),
        ("status", "status"),
    ] {
        copy(&value, member, cell, &mut cells);
    }
    if let Some(routes) = value.get("routes").and_then(|routes| text(routes, ";")) {
        cells.insert("routes".to_owned(), routes);
    }
    let facts = value.get("metadata").and_then(Value::as_object);
    for (name, fact) in facts.into_iter().flatten() {
        if let Some(fact) = text(fact, " ") {
            cells.insert(column(&format!("metadata.{name}")), fact);
        }
    }
    // What must not be lost on the way: a decoy would come as a key that opens something.
    if value.get("decoy") == Some(&Value::Bool(true)) {
        return Err("is a decoy; decoys are made anew".to_owned());
    }
    if value.get("hasUsagePlanKey") == Some(&Value::Bool(true)) {
        return Err(
            "has a usage-plan key, which is not exported; create or update it here by hand"
                .to_owned(),
        );
    }
    Ok(cells)
}
