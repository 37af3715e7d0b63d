//! One address or range, read strictly.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{problems::Problem, values::shown};
use crate::layers::ip_allow::holds_mapped;

/// Reads one address or range, strictly: no zones, no bits behind the prefix, no leading zeros (RFC 6943 section 3.1.1).
pub(super) fn range(text: &str) -> Result<IpNet, Problem> {
    let found = || shown(text);
    if text.contains('%') {
        return Err(Problem::RangeZone { found: found() });
    }
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(Problem::RangeMalformed { found: found() });
    };
    let Some(prefix) = prefix else {
        return Ok(IpNet::from(address));
    };
    let max = IpNet::from(address).max_prefix_len();
    let is_number =
        prefix == "0" || (!prefix.starts_with('0') && prefix.bytes().all(|b| b.is_ascii_digit()));
    let range = prefix
        .parse()
        .ok()
        .filter(|_| is_number)
        .and_then(|len| IpNet::new(address, len).ok());
    let Some(range) = range else {
        let found = shown(prefix);
        return Err(Problem::RangePrefix { found, max });
    };
    if range.trunc() != range {
        return Err(Problem::RangeHostBits {
            found: found(),
            network: range.trunc().to_string(),
            address: address.to_string(),
        });
    }
    Ok(range)
}

/// Whether the range holds every address of a family; `::ffff:0:0/96` is all of IPv4 (RFC 4291 section 2.5.5.2), and so is
/// whatever holds it.
pub(super) fn is_anywhere(range: &IpNet) -> bool {
    range.prefix_len() == 0 || holds_mapped(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_ranges() {
        for (text, reads) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(range(text).unwrap().to_string(), reads);
        }
    }

    #[test]
    fn refuses_ranges_that_could_be_read_in_two_ways() {
        for (text, code) in [
            ("10.0.0.1/8", "range_host_bits"),
            ("2001:db8::1/64", "range_host_bits"),
            ("10.0.0.0/33", "range_prefix"),
            ("10.0.0.0/08", "range_prefix"),
            ("10.0.0.0/+8", "range_prefix"),
            ("10.0.0.0/", "range_prefix"),
            ("10.0.0.0/8/8", "range_prefix"),
            ("::/129", "range_prefix"),
            ("fe80::1%eth0", "range_zone"),
            ("fe80::%eth0/64", "range_zone"),
            ("010.0.0.1", "range_malformed"),
            ("10.1", "range_malformed"),
            ("0x7f.0.0.1", "range_malformed"),
            ("2130706433", "range_malformed"),
            ("[::1]", "range_malformed"),
            ("10.0.0.1:80", "range_malformed"),
            (" 10.0.0.1", "range_malformed"),
            ("", "range_malformed"),
        ] {
            assert_eq!(range(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn anywhere_has_many_spellings() {
        for text in [
            "0.0.0.0/0",
            "::/0",
            "::ffff:0:0/96",
            "::fffe:0:0/95",
            "::/64",
        ] {
            assert!(is_anywhere(&range(text).unwrap()), "{text}");
        }
        assert!(!is_anywhere(&range("::ffff:10.0.0.0/104").unwrap()));
    }
}
