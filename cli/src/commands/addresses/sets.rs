//! Address rules as sets of AWS WAF.

use doorward_engine::layers::ip_allow::{AddressRules, AddressSet};
use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::args::Format;

/// The most addresses and ranges of one set
/// ([quotas of AWS WAF](https://docs.aws.amazon.com/waf/latest/developerguide/limits.html)).
pub(super) const MOST: usize = 10_000;

/// One set: ranges of one version of IP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Set {
    /// `allow` or `deny`.
    list: &'static str,
    /// `ipv4` or `ipv6`.
    version: &'static str,
    ranges: Vec<String>,
}

/// Why there are no sets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoSets {
    #[error(
        "there is neither `addresses.allow` nor `addresses.deny`, so there is nothing to write; add one"
    )]
    NoRules,
    #[error(
        "`addresses.{list}` has {count} ranges of {version}, and a set of WAF takes {MOST}; join neighbouring ranges, or leave this list to the authorizer"
    )]
    TooMany {
        list: &'static str,
        version: &'static str,
        count: usize,
    },
}

/// The sets of `rules`. A list that is there has a set for each version, also where that is empty: what refers to it stays whole
/// when the list changes.
pub(super) fn of(rules: &AddressRules) -> Result<Vec<Set>, NoSets> {
    let deny = Some(&rules.deny).filter(|deny| !deny.is_empty());
    let lists = [("allow", rules.allow.as_ref()), ("deny", deny)];
    let mut sets = Vec::new();
    for (list, addresses) in lists {
        let Some(addresses) = addresses else { continue };
        for (version, ranges) in by_version(addresses) {
            if ranges.len() > MOST {
                let count = ranges.len();
                return Err(NoSets::TooMany {
                    list,
                    version,
                    count,
                });
            }
            sets.push(Set {
                list,
                version,
                ranges,
            });
        }
    }
    if sets.is_empty() {
        return Err(NoSets::NoRules);
    }
    Ok(sets)
}

fn by_version(addresses: &AddressSet) -> [(&'static str, Vec<String>); 2] {
    let ranges: Vec<IpNet> = addresses.ranges().collect();
    // Neighbours become one, and what lies in another goes.
    let ranges = IpNet::aggregate(&ranges);
    let of = |is_v4: bool| {
        let ours = ranges
            .iter()
            .filter(|range| range.addr().is_ipv4() == is_v4);
        ours.flat_map(written).collect()
    };
    [("ipv4", of(true)), ("ipv6", of(false))]
}

/// Everything is two halves: WAF takes no prefix of length 0.
fn written(range: &IpNet) -> Vec<String> {
    let halves = match range {
        IpNet::V4(all) if all.prefix_len() == 0 => &["0.0.0.0/1", "128.0.0.0/1"],
        IpNet::V6(all) if all.prefix_len() == 0 => &["::/1", "8000::/1"],
        other => return vec![other.to_string()],
    };
    halves.map(str::to_owned).to_vec()
}

/// The sets as text, named from `name` on.
pub(super) fn text(sets: &[Set], format: Format, name: &str) -> String {
    let written = match format {
        Format::Cloudformation => cloudformation(sets, name),
        Format::Terraform => terraform(sets, name),
        Format::Json => plain(sets),
    };
    format!("{written:#}")
}

fn cloudformation(sets: &[Set], name: &str) -> Value {
    let resources = sets.iter().map(|set| {
        let properties = json!({
            "Name": format!("{name}-{}-{}", set.list, set.version),
            "Description": set.description(),
            "Scope": "REGIONAL",
            "IPAddressVersion": set.version.to_ascii_uppercase(),
            "Addresses": set.ranges,
        });
        let resource = json!({ "Type": "AWS::WAFv2::IPSet", "Properties": properties });
        (set.logical_id(), resource)
    });
    let outputs = sets.iter().map(|set| {
        let arn = json!({ "Fn::GetAtt": [set.logical_id(), "Arn"] });
        (format!("{}Arn", set.logical_id()), json!({ "Value": arn }))
    });
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Address sets of AWS WAF, written by `doorward addresses`; change the configuration and write them anew.",
        "Resources": resources.collect::<Map<_, _>>(),
        "Outputs": outputs.collect::<Map<_, _>>(),
    })
}

fn terraform(sets: &[Set], name: &str) -> Value {
    let resources = sets.iter().map(|set| {
        let arguments = json!({
            "name": format!("{name}-{}-{}", set.list, set.version),
            "description": set.description(),
            "scope": "REGIONAL",
            "ip_address_version": set.version.to_ascii_uppercase(),
            "addresses": set.ranges,
        });
        (format!("{}_{}", set.list, set.version), arguments)
    });
    json!({ "resource": { "aws_wafv2_ip_set": resources.collect::<Map<_, _>>() } })
}

fn plain(sets: &[Set]) -> Value {
    let mut lists = Map::new();
    for set in sets {
        let list = lists.entry(set.list).or_insert_with(|| json!({}));
        if let Some(versions) = list.as_object_mut() {
            versions.insert(set.version.to_owned(), json!(set.ranges));
        }
    }
    Value::Object(lists)
}

impl Set {
    fn logical_id(&self) -> String {
        let list = if self.list == "allow" {
            "Allow"
        } else {
            "Deny"
        };
        format!("{list}{}", self.version.to_ascii_uppercase())
    }

    /// WAF takes letters, digits and few signs in a description.
    fn description(&self) -> String {
        format!("addresses.{} of doorward", self.list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[&str]) -> AddressSet {
        let ranges = ranges.iter().map(|range| range.parse::<IpNet>().unwrap());
        ranges.collect()
    }

    fn rules(allow: Option<&[&str]>, deny: &[&str]) -> AddressRules {
        AddressRules {
            allow: allow.map(set),
            deny: set(deny),
        }
    }

    #[test]
    fn versions_stand_apart_and_neighbours_together() {
        let rules = rules(
            Some(&[
                "2001:db8::/32",
                "203.0.113.0/25",
                "203.0.113.128/25",
                "203.0.113.7/32",
            ]),
            &["::ffff:198.51.100.9/128"],
        );
        let sets = of(&rules).unwrap();
        assert_eq!(
            plain(&sets),
            json!({
                "allow": { "ipv4": ["203.0.113.0/24"], "ipv6": ["2001:db8::/32"] },
                "deny": { "ipv4": ["198.51.100.9/32"], "ipv6": [] },
            })
        );
    }

    #[test]
    fn everything_is_two_halves() {
        let sets = of(&rules(Some(&["0.0.0.0/0", "::/0"]), &[])).unwrap();
        let halves = json!({ "ipv4": ["0.0.0.0/1", "128.0.0.0/1"], "ipv6": ["::/1", "8000::/1"] });
        assert_eq!(plain(&sets), json!({ "allow": halves }));
    }

    #[test]
    fn a_list_that_allows_nobody_is_an_empty_set_and_no_list_is_none() {
        let sets = of(&rules(Some(&[]), &[])).unwrap();
        assert_eq!(plain(&sets), json!({ "allow": { "ipv4": [], "ipv6": [] } }));
        assert_eq!(of(&rules(None, &[])), Err(NoSets::NoRules));
    }

    #[test]
    fn more_than_waf_takes_is_refused_for_each_version_and_the_most_is_not() {
        // Every second address, so that no two are neighbours.
        let of_v4 = |count: u32| -> AddressSet {
            let one = |i: u32| IpNet::from(std::net::IpAddr::from((i * 2).to_be_bytes()));
            (1..=count).map(one).collect()
        };
        let of_v6 = |count: u128| -> AddressSet {
            let one = |i: u128| {
                IpNet::from(std::net::IpAddr::from(
                    ((0x2001 << 112) + i * 2).to_be_bytes(),
                ))
            };
            (1..=count).map(one).collect()
        };
        let deny = |deny: AddressSet| of(&AddressRules { allow: None, deny });
        assert!(deny(of_v4(10_000)).is_ok());
        assert!(deny(AddressSet::of_all([of_v4(10_000), of_v6(10_000)])).is_ok());
        let too_many = |version| NoSets::TooMany {
            list: "deny",
            version,
            count: 10_001,
        };
        assert_eq!(deny(of_v4(10_001)), Err(too_many("ipv4")));
        assert_eq!(deny(of_v6(10_001)), Err(too_many("ipv6")));
        let said = too_many("ipv4").to_string();
        assert!(
            said.contains("`addresses.deny` has 10001 ranges of ipv4"),
            "{said}"
        );
    }

    #[test]
    fn names_and_versions_are_those_of_waf() {
        let sets = of(&rules(Some(&["203.0.113.0/24"]), &[])).unwrap();
        let template: Value =
            serde_json::from_str(&text(&sets, Format::Cloudformation, "acme")).unwrap();
        let properties = &template["Resources"]["AllowIPV4"]["Properties"];
        assert_eq!(properties["Name"], "acme-allow-ipv4");
        assert_eq!(properties["IPAddressVersion"], "IPV4");
        assert_eq!(properties["Scope"], "REGIONAL");
        assert_eq!(properties["Addresses"], json!(["203.0.113.0/24"]));
        let arn = &template["Outputs"]["AllowIPV6Arn"]["Value"]["Fn::GetAtt"];
        assert_eq!(*arn, json!(["AllowIPV6", "Arn"]));
        let terraform: Value =
            serde_json::from_str(&text(&sets, Format::Terraform, "acme")).unwrap();
        let of_terraform = &terraform["resource"]["aws_wafv2_ip_set"]["allow_ipv4"];
        assert_eq!(of_terraform["addresses"], properties["Addresses"]);
        assert_eq!(of_terraform["ip_address_version"], "IPV4");
    }
}
