//! Whose bucket a request spends from.

use std::{fmt::Write as _, net::IpAddr};

use aws_lc_rs::digest::{SHA256, digest};
use ipnet::IpNet;

use super::{Asked, Dimension, Limit};
use crate::{
    denial::{Denial, Reason},
    identity::{Authenticated, escape},
    limits::{Bucket, Rule},
};

/// A longer value stands in a name by its digest: `DynamoDB` takes keys of up to 2,048 bytes.
const MAX_VALUE: usize = 512;

/// One part of a name: what it is told apart by, and the value.
type Part = (&'static str, String);

/// The bucket of `limit` for what was asked, whose numbers mean what they mean under `rule`: where the rule becomes another,
/// by configuration or by plan, what was counted under the old one says nothing about the new one.
///
/// # Errors
/// [`Reason::AddressUnknown`] where the address is needed and the event carries none.
pub(super) fn bucket(limit: &Limit, rule: &Rule, asked: &Asked<'_>) -> Result<Bucket, Denial> {
    let mut parts = Vec::with_capacity(limit.by.len() + 1);
    parts.push(("rule", rule.unit()));
    for dimension in &limit.by {
        parts.extend(value(*dimension, asked)?);
    }
    let parts = parts.iter().map(|(name, value)| (*name, value.as_str()));
    Ok(Bucket::of(&limit.name, parts))
}

/// The bucket of a limit that goes by address alone.
pub(super) fn of_address(limit: &Limit, address: Option<IpAddr>) -> Result<Bucket, Denial> {
    let (unit, value) = (limit.terms.rule.unit(), network(address)?);
    let parts = [("rule", unit.as_str()), ("address", value.as_str())];
    Ok(Bucket::of(&limit.name, parts))
}

fn value(dimension: Dimension, asked: &Asked<'_>) -> Result<Vec<Part>, Denial> {
    let found = match dimension {
        Dimension::Route => Some(vec![("route", asked.route.key.clone())]),
        Dimension::Address => Some(vec![("address", network(asked.address)?)]),
        Dimension::Key => key(asked.caller),
        Dimension::Client => client(asked.caller).or_else(|| key(asked.caller)),
        Dimension::Tenant => tenant(asked.caller),
        Dimension::Subject => None,
    };
    let found = found
        .or_else(|| subject(asked.caller))
        .or_else(|| key(asked.caller))
        .or_else(|| certificate(asked.caller));
    match found {
        Some(parts) => Ok(parts.into_iter().map(short).collect()),
        None => Ok(vec![("address", network(asked.address)?)]),
    }
}

fn key(caller: &Authenticated) -> Option<Vec<Part>> {
    let client = caller.client.as_ref()?;
    Some(vec![("key", client.record.id.to_string())])
}

fn subject(caller: &Authenticated) -> Option<Vec<Part>> {
    let subject = caller.subject.as_ref()?;
    Some(vec![("subject", subject.principal())])
}

fn client(caller: &Authenticated) -> Option<Vec<Part>> {
    let subject = caller.subject.as_ref()?;
    let id = subject.client_id.as_ref()?;
    let value = format!("{}|{}", escape(&subject.issuer), escape(id));
    Some(vec![("client", value)])
}

fn certificate(caller: &Authenticated) -> Option<Vec<Part>> {
    let certificate = caller.certificate.as_ref()?;
    Some(vec![("certificate", certificate.principal())])
}

/// The tenant of the key, else that of the token or the certificate, as in the context of the backend.
fn tenant(caller: &Authenticated) -> Option<Vec<Part>> {
    Some(vec![("tenant", caller.tenants().next()?.to_owned())])
}

/// Whoever calls from here spends from the same bucket as `address`: IPv6 goes by the /64 that one customer is commonly given
/// (RFC 6177 section 2); IPv4 in IPv6 is IPv4.
pub(crate) fn network_of(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    match address {
        IpAddr::V4(_) => address.into(),
        IpAddr::V6(_) => IpNet::new(address, 64).map_or_else(|_| address.into(), |net| net.trunc()),
    }
}

fn network(address: Option<IpAddr>) -> Result<String, Denial> {
    let unknown = || {
        Denial::new(
            Reason::AddressUnknown,
            "a limit goes by address, and the event carries none",
        )
    };
    let network = network_of(address.ok_or_else(unknown)?);
    Ok(match network {
        IpNet::V4(one) => one.addr().to_string(),
        IpNet::V6(_) => network.to_string(),
    })
}

/// Long values by their digest, under another name than short ones, so that no value can be mistaken for a digest.
fn short((name, value): Part) -> Part {
    if value.len() <= MAX_VALUE {
        return (name, value);
    }
    let hashed = digest(&SHA256, value.as_bytes());
    let hex = hashed.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let name = match name {
        "route" => "route-sha256",
        "tenant" => "tenant-sha256",
        "client" => "client-sha256",
        "certificate" => "certificate-sha256",
        _ => "subject-sha256",
    };
    (name, hex)
}
