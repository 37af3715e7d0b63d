//! The parts that kinds of events have in common: headers, query, cookies, address, other spellings of the path.

use std::{borrow::Cow, net::IpAddr};

use doorward_engine::request::{Entrance, Headers};
use doorward_keys::Secret;
use percent_encoding::percent_decode_str;

use super::tree::{Malformed, Node};

/// More names than the gateway's header limit of 10,240 bytes leaves room for in earnest.
const MAX_NAMES: usize = 1000;

/// The address that test calls from the console state in place of one.
const TEST_ADDRESS: &str = "test-invoke-source-ip";

type Pairs = Vec<(String, Secret<String>)>;

/// Names and values as they stand in the event, each value with its name.
type Spoken<'e> = Vec<(&'e str, &'e str)>;

/// The two maps of headers in an event.
pub(super) struct HeaderMaps<'e> {
    single: Spoken<'e>,
    multi: Spoken<'e>,
}

impl<'e> HeaderMaps<'e> {
    /// The single-value map at `single` and the multi-value map at `multi`.
    pub(super) fn read(
        event: &'e Node<'_>,
        single: &'static str,
        multi: Option<&'static str>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            single: single_values(event, single)?,
            multi: multi.map_or(Ok(Vec::new()), |at| multi_values(event, at))?,
        })
    }

    pub(super) fn headers(&self) -> Headers {
        Headers::from_maps(&self.single, &self.multi)
    }

    /// The cookies of every `Cookie` header, in any spelling of the name (RFC 6265 section 5.4).
    pub(super) fn cookies(&self) -> Pairs {
        let is_cookie = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case("cookie");
        let of = |map: &Spoken<'e>| -> Vec<&'e str> {
            let values = map.iter().filter(is_cookie);
            values.map(|(_, value)| *value).collect()
        };
        let (mut values, single) = (of(&self.multi), of(&self.single));
        for value in single {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        cookie_pairs(values)
    }
}

/// The query parameters of the two maps. A value that only the single-value map holds is added, so that maps which
/// disagree look like a repeated name.
pub(super) fn query(event: &Node<'_>) -> Result<Pairs, Malformed> {
    let mut pairs = Pairs::new();
    let mut known = Vec::new();
    for (name, value) in multi_values(event, "multiValueQueryStringParameters")? {
        known.push((name, value));
        pairs.push((name.to_owned(), Secret::new(value.to_owned())));
    }
    for (name, value) in single_values(event, "queryStringParameters")? {
        if !known.contains(&(name, value)) {
            pairs.push((name.to_owned(), Secret::new(value.to_owned())));
        }
    }
    Ok(pairs)
}

/// The query parameters of `rawQueryString`, decoded as a form (WHATWG URL, application/x-www-form-urlencoded). What
/// does not decode to UTF-8 stays as it is. Without a raw query string, those of the map, whose values the gateway has
/// joined by commas.
pub(super) fn raw_query(event: &Node<'_>) -> Result<Pairs, Malformed> {
    let Some(raw) = event.text("rawQueryString")? else {
        return query(event);
    };
    let pairs: Pairs = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (form_decoded(name), Secret::new(form_decoded(value))))
        .take(MAX_NAMES.saturating_add(1))
        .collect();
    if pairs.len() > MAX_NAMES {
        return Err(Malformed {
            at: "rawQueryString",
            what: "holds too many parameters",
        });
    }
    Ok(pairs)
}

fn form_decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

fn cookie_pairs<'e>(values: impl IntoIterator<Item = &'e str>) -> Pairs {
    let texts = values.into_iter().flat_map(|value| value.split(';'));
    texts.filter_map(cookie_pair).collect()
}

/// The cookies of the list at `cookies`, or of the header where there is no such list.
pub(super) fn listed_cookies(
    event: &Node<'_>,
    headers: &HeaderMaps<'_>,
) -> Result<Pairs, Malformed> {
    match event.at("cookies")? {
        Node::Null => Ok(headers.cookies()),
        Node::One(text) => Ok(cookie_pairs([&**text])),
        Node::List(items) => {
            let malformed = Malformed {
                at: "cookies",
                what: "holds something that is not a text",
            };
            let texts = items.iter().map(|item| {
                if let Node::Text(text) = item {
                    Ok(&**text)
                } else {
                    Err(malformed)
                }
            });
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            Ok(cookie_pairs(texts))
        }
        Node::Text(_) | Node::Other | Node::Map(_) => Err(Malformed {
            at: "cookies",
            what: "is not a list",
        }),
    }
}

/// One `name=value` (RFC 6265 section 4.1.1). The name must be a token (RFC 9110 section 5.6.2); what is no pair is no
/// cookie. The value stays as sent: who reads it checks it.
fn cookie_pair(text: &str) -> Option<(String, Secret<String>)> {
    let (name, value) = text.trim_matches([' ', '\t']).split_once('=')?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (!name.is_empty() && name.bytes().all(token))
        .then(|| (name.to_owned(), Secret::new(value.to_owned())))
}

/// The source address at `at`, in the strict textual forms only (RFC 4291 section 2.2, RFC 6943 section 3.1.1).
pub(super) fn address(event: &Node<'_>, at: &'static str) -> Result<Option<IpAddr>, Malformed> {
    match event.text(at)? {
        None | Some("" | TEST_ADDRESS) => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Malformed {
            at,
            what: "is not an address",
        }),
    }
}

/// The certificate that the client showed to the gateway, in PEM. The fields beside the PEM are not read: it is the authority.
pub(super) fn certificate(event: &Node<'_>, at: &'static str) -> Result<Option<String>, Malformed> {
    Ok(event
        .text(at)?
        .filter(|pem| !pem.is_empty())
        .map(str::to_owned))
}

/// The host name under which the API was reached, and the whole path as the client wrote it.
pub(super) fn entrance(
    event: &Node<'_>,
    path: Option<&'static str>,
) -> Result<Entrance, Malformed> {
    let text = |at: &'static str| -> Result<Option<String>, Malformed> {
        Ok(event
            .text(at)?
            .filter(|text| !text.is_empty())
            .map(str::to_owned))
    };
    Ok(Entrance {
        domain: text("requestContext.domainName")?,
        path: path.map_or(Ok(None), text)?,
    })
}

/// The paths that stand at `places`, each once.
pub(super) fn paths(event: &Node<'_>, places: &[&'static str]) -> Result<Vec<String>, Malformed> {
    let mut paths: Vec<String> = Vec::new();
    for at in places {
        if let Some(path) = event.text(at)?
            && !paths.iter().any(|known| known == path)
        {
            paths.push(path.to_owned());
        }
    }
    Ok(paths)
}

/// Names and values of the single-value map at `at`.
pub(super) fn single_values<'e>(
    event: &'e Node<'_>,
    at: &'static str,
) -> Result<Spoken<'e>, Malformed> {
    let members = bounded(event, at)?;
    let mut pairs = Vec::with_capacity(members.len());
    for (name, value) in members {
        match value {
            Node::Null => {}
            Node::Text(text) => pairs.push((&**name, &**text)),
            Node::Other | Node::One(_) | Node::List(_) | Node::Map(_) => {
                return Err(Malformed {
                    at,
                    what: "holds a value that is not a text",
                });
            }
        }
    }
    Ok(pairs)
}

/// Names and values of the multi-value map at `at`, the name again with each value.
fn multi_values<'e>(event: &'e Node<'_>, at: &'static str) -> Result<Spoken<'e>, Malformed> {
    let malformed = Malformed {
        at,
        what: "holds a value that is not a list of texts",
    };
    let members = bounded(event, at)?;
    let mut pairs = Vec::with_capacity(members.len());
    for (name, value) in members {
        match value {
            Node::Null => {}
            Node::One(text) => pairs.push((&**name, &**text)),
            Node::List(items) => {
                for item in items {
                    let Node::Text(text) = item else {
                        return Err(malformed);
                    };
                    pairs.push((&**name, &**text));
                }
            }
            Node::Text(_) | Node::Other | Node::Map(_) => return Err(malformed),
        }
    }
    Ok(pairs)
}

fn bounded<'n, 'e>(
    event: &'n Node<'e>,
    at: &'static str,
) -> Result<&'n [(Cow<'e, str>, Node<'e>)], Malformed> {
    let members = event.members(at)?;
    if members.len() > MAX_NAMES {
        return Err(Malformed {
            at,
            what: "holds too many names",
        });
    }
    Ok(members)
}
