mod directed;
mod size;

use std::{collections::BTreeMap, net::IpAddr};

use super::*;
use crate::{
    denial::Reason,
    request::{ApiStage, Located, Target, Verb, path::NormalPath},
    routes::{Route, RouteTable, tests::routes},
};

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/prod";

/// A table, what of it is permitted, and under which conditions.
struct World {
    table: RouteTable,
    permitted: Vec<String>,
    conditions: BTreeMap<String, Condition>,
    stage: ApiStage,
    config: PolicyConfig,
    max_bytes: usize,
}

impl World {
    /// Keys that begin with `+` are permitted.
    fn new(unlisted_paths: UnlistedPaths, keys: &[&str]) -> Self {
        let plain: Vec<&str> = keys.iter().map(|key| key.trim_start_matches('+')).collect();
        let permitted = keys.iter().filter_map(|key| key.strip_prefix('+'));
        Self {
            table: RouteTable::new(routes(&plain)).unwrap(),
            permitted: permitted.map(str::to_owned).collect(),
            conditions: BTreeMap::new(),
            stage: ApiStage::new(ARN.to_owned()),
            config: PolicyConfig {
                unlisted_paths,
                conditions: true,
                gateway_cache: GatewayCache::Unknown,
            },
            max_bytes: 7168,
        }
    }

    fn refuse(keys: &[&str]) -> Self {
        Self::new(UnlistedPaths::Refuse, keys)
    }

    fn unreachable(keys: &[&str]) -> Self {
        Self::new(UnlistedPaths::Unreachable, keys)
    }

    /// The route `key` only from `allow`, and not from `deny`.
    fn from(mut self, key: &str, allow: &[&str], deny: &[&str]) -> Self {
        let nets =
            |texts: &[&str]| -> Vec<IpNet> { texts.iter().map(|t| t.parse().unwrap()).collect() };
        let condition = Condition {
            before: None,
            from: None,
            addresses: (!allow.is_empty()).then(|| nets(allow)),
            not_addresses: nets(deny),
        };
        self.conditions.insert(key.to_owned(), condition);
        self
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            stage: &self.stage,
            table: &self.table,
            config: &self.config,
            max_bytes: self.max_bytes,
        }
    }

    fn permits(&self, route: &Route) -> bool {
        self.permitted.contains(&route.key)
    }

    fn condition(&self, route: &Route) -> Condition {
        self.conditions.get(&route.key).cloned().unwrap_or_default()
    }

    fn build(&self, verb: &str, path: &str) -> Result<Policy, Reason> {
        let (target, located) = target(verb, path);
        let asked = Asked {
            target: &target,
            located: Some(&located),
        };
        build(&self.scope(), &asked, &|r| self.permits(r), &|r| {
            self.condition(r)
        })
    }

    fn deny(&self, verb: &str, path: &str) -> Policy {
        let (target, located) = target(verb, path);
        let asked = Asked {
            target: &target,
            located: Some(&located),
        };
        let holds = Condition::default();
        build_denial(
            &self.scope(),
            &asked,
            &|r| self.permits(r),
            &|r| self.condition(r),
            &holds,
        )
    }
}

fn target(verb: &str, path: &str) -> (Target, Located) {
    let verb = Verb::parse(verb).unwrap();
    let normal = NormalPath::parse(path).unwrap();
    let target = Target::Http {
        verb: verb.clone(),
        path: path.to_owned(),
    };
    (target, Located::Http { verb, path: normal })
}

fn meets(condition: &Condition, from: IpAddr) -> bool {
    let within = |list: &[IpNet]| list.iter().any(|net| net.contains(&from));
    condition.addresses.as_deref().is_none_or(within) && !within(&condition.not_addresses)
}

/// IAM in a few lines, apart from the builder's own reading.
fn iam_allows(policy: &Policy, verb: &str, raw: &str, from: IpAddr) -> bool {
    let text: Vec<char> = format!("{verb}{raw}").chars().collect();
    let applies = |effect: Effect| {
        policy.statements().iter().any(|s| {
            s.effect == effect
                && meets(&s.condition, from)
                && s.resources
                    .iter()
                    .any(|glob| covers(&glob.chars().collect::<Vec<_>>(), &text))
        })
    };
    applies(Effect::Allow) && !applies(Effect::Deny)
}

/// `reach[i]`: the glob read so far covers the first `i` characters.
fn covers(glob: &[char], text: &[char]) -> bool {
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for g in glob {
        let mut next = vec![false; text.len() + 1];
        for i in 0..=text.len() {
            next[i] = match g {
                '*' => reach[i] || i > 0 && next[i - 1],
                '?' => i > 0 && reach[i - 1],
                c => i > 0 && reach[i - 1] && text[i - 1] == *c,
            };
        }
        reach = next;
    }
    reach[text.len()]
}

fn resources(policy: &Policy, effect: Effect) -> Vec<&str> {
    let of = policy.statements().iter().filter(|s| s.effect == effect);
    of.flat_map(|s| s.resources.iter().map(String::as_str))
        .collect()
}
