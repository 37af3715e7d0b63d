//! The event as a small tree: what cannot be read is kept apart from what is absent, repeated names stay visible, and
//! size and depth are bounded.
//!
//! Reading straight into typed fields would let one odd value anywhere fail the whole event, and the usual JSON value
//! keeps the last of two equal names in silence (RFC 8259 section 4).

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The longest event that is looked at, in bytes. The gateway's own limits on request line and headers are a small part
/// of it (AWS: API Gateway quotas).
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// Deeper values are not looked at; nothing that is read lies deeper than four.
const MAX_DEPTH: u8 = 12;

/// What each value costs of [`MAX_EVENT_BYTES`] besides its text.
const NODE_COST: usize = 2;

/// One value of the event.
#[derive(Default)]
pub(super) enum Node {
    /// `null`, or no such member.
    #[default]
    Null,
    Text(String),
    /// A number, a boolean, or something too deep.
    Other,
    List(Vec<Node>),
    /// Members in order, repeated names kept.
    Map(Vec<(String, Node)>),
}

/// What is wrong with an event: where, and what. Never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: &'static str,
    pub(super) what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.at, self.what)
    }
}

static NULL: Node = Node::Null;

impl Node {
    /// The value at the dotted `path`. Absent members and members of `null` are `null`.
    pub(super) fn at(&self, path: &'static str) -> Result<&Self, Malformed> {
        let mut node = self;
        for name in path.split('.') {
            node = match node {
                Self::Map(members) => {
                    let mut found = members.iter().filter(|(held, _)| held == name);
                    let first = found.next().map_or(&NULL, |(_, value)| value);
                    if found.next().is_some() {
                        return Err(Malformed {
                            at: path,
                            what: "is there twice",
                        });
                    }
                    first
                }
                Self::Null => &NULL,
                Self::Text(_) | Self::Other | Self::List(_) => {
                    return Err(Malformed {
                        at: path,
                        what: "lies in something that is not an object",
                    });
                }
            };
        }
        Ok(node)
    }

    /// The text at `path`; `None` when absent.
    pub(super) fn text(&self, path: &'static str) -> Result<Option<&str>, Malformed> {
        match self.at(path)? {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Other | Self::List(_) | Self::Map(_) => Err(Malformed {
                at: path,
                what: "is not a text",
            }),
        }
    }

    /// The members of the object at `path`; none when absent.
    pub(super) fn members(&self, path: &'static str) -> Result<&[(String, Self)], Malformed> {
        match self.at(path)? {
            Self::Null => Ok(&[]),
            Self::Map(members) => Ok(members),
            Self::Text(_) | Self::Other | Self::List(_) => Err(Malformed {
                at: path,
                what: "is not an object",
            }),
        }
    }

    /// Whether something other than `null` stands at `path`, readable or not.
    pub(super) fn has(&self, path: &'static str) -> bool {
        !matches!(self.at(path), Ok(Self::Null))
    }

    /// Refuses members that belong to another kind of event.
    pub(super) fn without(&self, foreign: &[&'static str]) -> Result<(), Malformed> {
        match foreign.iter().find(|name| self.has(name)) {
            Some(name) => Err(Malformed {
                at: name,
                what: "belongs to another kind of event",
            }),
            None => Ok(()),
        }
    }
}

/// Reads one value out of any self-describing format, within the budget left.
pub(super) struct Growing<'b> {
    /// Bytes of text that may still be taken; 0 means that something was left out.
    pub(super) budget: &'b Cell<usize>,
    depth: u8,
}

impl<'b> Growing<'b> {
    pub(super) const fn new(budget: &'b Cell<usize>) -> Self {
        Self { budget, depth: 0 }
    }

    fn afford(&self, bytes: usize) -> bool {
        let left = self
            .budget
            .get()
            .saturating_sub(bytes.saturating_add(NODE_COST));
        self.budget.set(left);
        left > 0
    }

    fn inside(&self) -> Option<Self> {
        (self.depth < MAX_DEPTH && self.afford(0)).then(|| Self {
            budget: self.budget,
            depth: self.depth.saturating_add(1),
        })
    }
}

impl<'de> DeserializeSeed<'de> for Growing<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Growing<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(if self.afford(text.len()) {
            Node::Text(text.to_owned())
        } else {
            Node::Other
        })
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(if self.afford(text.len()) {
            Node::Text(text)
        } else {
            Node::Other
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(inside) = self.inside() {
            match values.next_element_seed(inside)? {
                Some(value) => list.push(value),
                None => return Ok(Node::List(list)),
            }
        }
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(inside) = self.inside() {
            match entries.next_key::<String>()? {
                Some(name) if self.afford(name.len()) => {
                    members.push((name, entries.next_value_seed(inside)?));
                }
                Some(_) => {
                    entries.next_value::<IgnoredAny>()?;
                }
                None => return Ok(Node::Map(members)),
            }
        }
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Node::Other)
    }
}
