//! Identity sources, in the three spellings of SAM, REST APIs and HTTP APIs.

use std::fmt;

use crate::template::Node;

/// One part of what answers are kept under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A header, in lower case.
    Header(String),
    /// A parameter of the query string.
    Query(String),
    /// A variable of the context, such as `identity.sourceIp`.
    Context(String),
    /// A variable of the stage.
    Stage(String),
    /// Something that cannot be known.
    Unknown,
}

impl Source {
    /// Whether it is this variable of the context.
    pub fn is_context(&self, name: &str) -> bool {
        matches!(self, Self::Context(found) if found.eq_ignore_ascii_case(name))
    }

    /// The address of whoever is connected to the gateway.
    pub fn is_address(&self) -> bool {
        self.is_context("identity.sourceip") || self.is_context("http.sourceip")
    }

    /// The certificate of the client.
    pub fn is_certificate(&self) -> bool {
        let Self::Context(name) = self else {
            return false;
        };
        let name = name.to_ascii_lowercase();
        name.starts_with("identity.clientcert.") || name.starts_with("authentication.clientcert.")
    }

    /// As REST and HTTP APIs write it: `method.request.header.Authorization`, `$request.header.Authorization`.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let bare = text.trim_start_matches('$');
        let rest = bare
            .strip_prefix("method.request.")
            .or_else(|| bare.strip_prefix("request."));
        let named = |rest: &str| {
            let (kind, name) = rest.split_once('.')?;
            match kind.to_ascii_lowercase().as_str() {
                "header" | "multivalueheader" => Some(Self::Header(name.to_ascii_lowercase())),
                "querystring" | "multivaluequerystring" => Some(Self::Query(name.to_owned())),
                _ => None,
            }
        };
        let of_request = rest.and_then(named);
        let of_stage = || {
            let name = bare.strip_prefix("stageVariables.")?;
            Some(Self::Stage(name.to_owned()))
        };
        let of_context = || {
            let name = bare.strip_prefix("context.")?;
            Some(Self::Context(name.to_owned()))
        };
        of_request
            .or_else(of_stage)
            .or_else(of_context)
            .unwrap_or(Self::Unknown)
    }

    /// A list, or a text with commas.
    pub(super) fn all(node: Option<&Node>) -> Vec<Self> {
        let nodes = node.map_or(&[][..], Node::list);
        let each = |node: &Node| match node.text() {
            Some(text) => text
                .split(',')
                .filter(|part| !part.trim().is_empty())
                .map(Self::parse)
                .collect(),
            None => vec![Self::Unknown],
        };
        nodes.iter().flat_map(each).collect()
    }

    /// As SAM writes them.
    pub(super) fn of_sam(identity: Option<&Node>) -> Vec<Self> {
        let Some(identity) = identity else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (list, make) in [
            (
                "Headers",
                (|name| Self::Header(name.to_ascii_lowercase())) as fn(&str) -> Self,
            ),
            ("QueryStrings", |name| Self::Query(name.to_owned())),
            ("StageVariables", |name| Self::Stage(name.to_owned())),
            ("Context", |name| Self::Context(name.to_owned())),
        ] {
            let nodes = identity.get(list).map_or(&[][..], Node::list);
            all.extend(
                nodes
                    .iter()
                    .map(|node| node.text().map_or(Self::Unknown, make)),
            );
        }
        all
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "the header `{name}`"),
            Self::Query(name) => write!(f, "the query parameter `{name}`"),
            Self::Context(name) => write!(f, "`context.{name}`"),
            Self::Stage(name) => write!(f, "`stageVariables.{name}`"),
            Self::Unknown => f.write_str("something that cannot be known"),
        }
    }
}
