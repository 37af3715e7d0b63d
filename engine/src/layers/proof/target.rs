//! `htu`: the address that a proof was made for, against the address of the request (RFC 9449 section 4.3, check 9).
//!
//! Both are brought to one spelling: scheme and host in lower case, the port of the scheme left out, the path as
//! [`crate::request::path`] reads it; query and fragment do not count (RFC 3986 sections 6.2.2 and 6.2.3).
//!
//! The address of the request is known in one of two ways:
//!
//! 1. `dpop.public_urls` say where the API is reached: the address is one of them followed by the path in the ARN,
//!    or one of them alone for an API without paths. Needed
//!    behind a proxy, and for an HTTP API of payload format 2.0 under a custom domain with a base path, whose events do not
//!    tell it (AWS: *Create AWS Lambda proxy integrations for HTTP APIs*).
//! 2. Otherwise `https`, the host name and the path that the event states, stage or base path included. An event that does not
//!    state both leaves the address unknown, and every proof refused.
//!
//! A host name that means the machine itself is that of a local gateway, with `http` or `https`.

use crate::request::{Request, Target, path::NormalPath};

/// An address in one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    scheme: String,
    /// Host, and the port where it is not that of the scheme.
    authority: String,
    path: NormalPath,
}

impl Address {
    /// Reads an absolute address with `http` or `https`, without user information.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => "443",
            "http" => "80",
            _ => return None,
        };
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        let (rest, _) = rest.split_at_checked(end)?;
        let start = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(start)?;
        let authority = authority_of(authority, default_port)?;
        let path = if path.is_empty() { "/" } else { path };
        Some(Self {
            scheme,
            authority,
            path: NormalPath::parse(path).ok()?,
        })
    }

    /// Whether the host is this very machine.
    pub(super) fn is_local(&self) -> bool {
        is_local(&self.authority)
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// This address with `path` behind its own.
    fn followed_by(&self, path: &NormalPath) -> Option<Self> {
        let joined = format!(
            "{}{}",
            self.path.as_str().trim_end_matches('/'),
            path.as_str()
        );
        Some(Self {
            path: NormalPath::parse(&joined).ok()?,
            ..self.clone()
        })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

/// The addresses that `request` may have been sent to; empty when they are not known.
pub(super) fn addresses(request: &Request, public: &[Address]) -> Vec<Address> {
    if !public.is_empty() {
        let Target::Http { path, .. } = &request.target else {
            // What has no paths is reached at the address itself.
            return public.to_vec();
        };
        let Ok(path) = NormalPath::parse(path) else {
            return Vec::new();
        };
        let public = public.iter();
        return public.filter_map(|base| base.followed_by(&path)).collect();
    }
    let (Some(domain), Some(path)) = (&request.entrance.domain, &request.entrance.path) else {
        return Vec::new();
    };
    let schemes: &[&str] = if is_local(domain) {
        &["http", "https"]
    } else {
        &["https"]
    };
    let of = |scheme| Address::parse(&format!("{scheme}://{domain}{path}"));
    schemes.iter().copied().filter_map(of).collect()
}

fn authority_of(text: &str, default_port: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'[' | b']');
    if text.is_empty() || text.len() > 300 || !text.bytes().all(plain) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (host, port) = match lower.rsplit_once(':') {
        // A colon inside the brackets is part of the address.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (lower.as_str(), None),
    };
    // A dot at the end names the same host.
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || (host.contains(':') && !host.starts_with('[')) {
        return None;
    }
    match port {
        None | Some("") => Some(host.to_owned()),
        Some(port) if port == default_port => Some(host.to_owned()),
        Some(port) => {
            let number: u16 = port.parse().ok()?;
            (number.to_string() == port).then(|| format!("{host}:{port}"))
        }
    }
}

fn is_local(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    };
    matches!(host, "localhost" | "[::1]")
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}
