//! The event as a small tree: what cannot be read is kept apart from what is absent, repeated names stay visible, and
//! size and depth are bounded. Texts stay where they are in the event, unless they have escapes.
//!
//! Reading straight into typed fields would let one odd value anywhere fail the whole event, and the usual JSON value
//! keeps the last of two equal names in silence (RFC 8259 section 4).

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The longest event that is looked at, in bytes. The gateway's own limits on request line and headers are a small part
/// of it (AWS: API Gateway quotas).
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// Deeper values are not looked at; nothing that is read lies deeper than four.
const MAX_DEPTH: u8 = 12;

/// Room for as many members is made at once.
const TYPICAL_MEMBERS: usize = 12;

/// One value of the event.
#[derive(Default)]
pub(super) enum Node<'e> {
    /// `null`, or no such member.
    #[default]
    Null,
    Text(Cow<'e, str>),
    /// A number, a boolean, or something too deep.
    Other,
    /// A list of one text, as most lists of an event are.
    One(Cow<'e, str>),
    /// Any other list.
    List(Vec<Self>),
    Map(Members<'e>),
}

/// Members of an object in order, repeated names kept.
pub(super) type Members<'e> = Vec<(Cow<'e, str>, Node<'e>)>;

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

static NULL: Node<'static> = Node::Null;

impl<'e> Node<'e> {
    /// The value at the dotted `path`. Absent members and members of `null` are `null`.
    pub(super) fn at(&self, path: &'static str) -> Result<&Self, Malformed> {
        let mut node = self;
        let mut rest = Some(path);
        while let Some(path_left) = rest {
            let (name, behind) = first_name(path_left);
            rest = behind;
            debug_assert!(is_read(name), "`{name}` is never kept");
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
                Self::Text(_) | Self::Other | Self::One(_) | Self::List(_) => {
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
            Self::Other | Self::One(_) | Self::List(_) | Self::Map(_) => Err(Malformed {
                at: path,
                what: "is not a text",
            }),
        }
    }

    /// The members of the object at `path`; none when absent.
    pub(super) fn members(&self, path: &'static str) -> Result<&[(Cow<'e, str>, Self)], Malformed> {
        match self.at(path)? {
            Self::Null => Ok(&[]),
            Self::Map(members) => Ok(members),
            Self::Text(_) | Self::Other | Self::One(_) | Self::List(_) => Err(Malformed {
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

/// The first name of a dotted path, and what is behind it.
fn first_name(path: &'static str) -> (&'static str, Option<&'static str>) {
    let dot = path.bytes().position(|byte| byte == b'.');
    match dot.and_then(|dot| path.split_at_checked(dot)) {
        None => (path, None),
        Some((name, behind)) => (name, behind.get(1..)),
    }
}

/// Whether a member of this name is ever looked at, outside of the maps of [`names_anything`]. Others are passed over.
fn is_read(name: &str) -> bool {
    names_anything(name)
        || matches!(
            name,
            "accountId"
                | "apiId"
                | "authentication"
                | "authorizationToken"
                | "clientCert"
                | "clientCertPem"
                | "cookies"
                | "domainName"
                | "eventType"
                | "http"
                | "httpMethod"
                | "identity"
                | "method"
                | "methodArn"
                | "operationName"
                | "path"
                | "protocolData"
                | "queryString"
                | "rawPath"
                | "rawQueryString"
                | "requestContext"
                | "routeArn"
                | "routeKey"
                | "signatureVerified"
                | "sourceIp"
                | "stage"
                | "type"
                | "version"
        )
}

/// Whether a member of this name is a map whose names the caller chose.
fn names_anything(name: &str) -> bool {
    matches!(
        name,
        "headers"
            | "multiValueHeaders"
            | "multiValueQueryStringParameters"
            | "queryStringParameters"
            | "requestHeaders"
    )
}

/// Reads the text of an event; `None` where it is not JSON, or nested so deeply that nobody means it (`serde_json` stops at 128).
pub(super) fn read(text: &[u8]) -> Option<Node<'_>> {
    // Once for all texts in it.
    let text = std::str::from_utf8(text).ok()?;
    let mut json = serde_json::Deserializer::from_str(text);
    let root = Growing::default().deserialize(&mut json).ok()?;
    json.end().ok().map(|()| root)
}

/// Reads one value.
#[derive(Clone, Copy, Default)]
struct Growing {
    depth: u8,
    /// Whether every member is kept, and not only those that are read.
    keeps_all: bool,
}

impl Growing {
    fn inside(self) -> Option<Self> {
        (self.depth < MAX_DEPTH).then(|| Self {
            depth: self.depth.saturating_add(1),
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Growing {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Growing {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node<'de>, A::Error> {
        let Some(inside) = self.inside() else {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Node::Other);
        };
        let Some(first) = values.next_element_seed(inside)? else {
            return Ok(Node::List(Vec::new()));
        };
        let Some(second) = values.next_element_seed(inside)? else {
            return Ok(match first {
                Node::Text(text) => Node::One(text),
                other => Node::List(vec![other]),
            });
        };
        let mut list = vec![first, second];
        while let Some(value) = values.next_element_seed(inside)? {
            list.push(value);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node<'de>, A::Error> {
        let Some(inside) = self.inside() else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Node::Other);
        };
        let mut members = Vec::with_capacity(TYPICAL_MEMBERS);
        while let Some(name) = entries.next_key_seed(Name)? {
            if self.keeps_all || is_read(&name) {
                let keeps_all = self.keeps_all || names_anything(&name);
                let value = entries.next_value_seed(Self {
                    keeps_all,
                    ..inside
                })?;
                members.push((name, value));
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Node::Map(members))
    }
}

/// Reads the name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
