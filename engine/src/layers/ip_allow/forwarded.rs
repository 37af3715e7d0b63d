//! The one place that derives the address of the caller.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use super::config::Forwarding;
use crate::{
    denial::{Denial, Reason},
    request::Request,
};

/// The most entries of a forwarding header that are looked at. A longer chain is no chain of trusted proxies.
const MAX_ENTRIES: usize = 32;

/// The address of the caller; `None` where the event carries none and no forwarding is configured.
pub(super) fn client_address(
    request: &Request,
    forwarding: &Forwarding,
) -> Result<Option<IpAddr>, Denial> {
    let peer = request.peer.map(|peer| peer.to_canonical());
    match forwarding {
        Forwarding::Peer => Ok(peer),
        Forwarding::TrustedRanges { header, proxies } => {
            let Some(peer) = peer else {
                return Err(unknown("the event carries no source address"));
            };
            if !proxies.contains(peer) {
                return Ok(Some(peer));
            }
            for entry in entries(request, header)?.iter().rev() {
                let address = parse(entry)?;
                if !proxies.contains(address) {
                    return Ok(Some(address));
                }
            }
            Err(unknown(
                "every address in the forwarding header is a trusted proxy",
            ))
        }
        Forwarding::TrustedHops { header, hops } => {
            let entries = entries(request, header)?;
            let place = entries
                .len()
                .checked_sub(*hops)
                .ok_or_else(|| unknown("the forwarding header is too short"))?;
            let entry = entries
                .get(place)
                .ok_or_else(|| unknown("the forwarding header is too short"))?;
            parse(entry).map(Some)
        }
    }
}

/// The entries of all lines of the header, joined in order (RFC 9110 section 5.3).
fn entries<'a>(request: &'a Request, header: &str) -> Result<Vec<&'a str>, Denial> {
    let lines = request
        .headers
        .list(header)
        .ok_or_else(|| unknown("the forwarding header contradicts itself"))?;
    let entries: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .map(|entry| entry.trim_matches([' ', '\t']))
        .collect();
    if entries.len() > MAX_ENTRIES {
        return Err(unknown("the forwarding header is too long"));
    }
    Ok(entries)
}

/// Reads one entry by grammar: an address, `[v6]`, `[v6]:port` or `v4:port`. The standard parsers refuse leading zeros,
/// short, hexadecimal and decimal forms (RFC 6943 section 3.1.1); zone ids are refused, as no range holds them.
fn parse(entry: &str) -> Result<IpAddr, Denial> {
    let address = match entry.strip_prefix('[') {
        Some(rest) => match rest.strip_suffix(']') {
            Some(inner) => inner.parse().ok().map(IpAddr::V6),
            None => entry
                .parse::<SocketAddrV6>()
                .ok()
                .filter(|a| a.scope_id() == 0)
                .map(|a| IpAddr::V6(*a.ip())),
        },
        None => entry.parse::<IpAddr>().ok().or_else(|| v4_with_port(entry)),
    };
    address
        .map(|address| address.to_canonical())
        .filter(|address| !address.is_unspecified())
        .ok_or_else(|| unknown("an entry of the forwarding header is not an address"))
}

fn v4_with_port(entry: &str) -> Option<IpAddr> {
    match entry.parse::<SocketAddr>().ok()? {
        SocketAddr::V4(v4) => Some(IpAddr::V4(*v4.ip())),
        SocketAddr::V6(_) => None,
    }
}

fn unknown(detail: &str) -> Denial {
    Denial::new(Reason::AddressUnknown, detail)
}
