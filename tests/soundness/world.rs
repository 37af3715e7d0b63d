//! A table, what of it a caller may do, and both readings of that: the engine's, and IAM's of the policy.

use std::{collections::BTreeMap, net::IpAddr};

use doorward::local::iam;
use doorward_engine::{
    Reason,
    layers::policy::{
        Asked, Condition, Effect, GatewayCache, Policy, PolicyConfig, Scope, Statement,
        UnlistedPaths, build, build_denial,
    },
    request::{ApiStage, Located, Target, Verb, path::NormalPath},
    routes::{Demand, METHODS, Methods, Place, Route, RouteTable, Segment, Template},
};
use doorward_keys::Timestamp;
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::tables::{LISTS, Row, VERBS};

const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/prod";
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
/// When a limit that is used up now has room again.
pub(crate) const LATER: Timestamp = Timestamp::from_unix(1_800_000_060);

/// From where and when something is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) from: IpAddr,
    pub(crate) now: Timestamp,
}

/// A table and what of it a caller may do.
pub(crate) struct World {
    table: RouteTable,
    /// By the key of the route; absent means refused.
    rights: BTreeMap<String, Condition>,
    stage: ApiStage,
    config: PolicyConfig,
    max_bytes: usize,
}

impl World {
    pub(crate) fn new(mode: UnlistedPaths, rows: &[Row], max_bytes: usize) -> Self {
        let mut rows: Vec<(String, Route, &Row)> = rows
            .iter()
            .map(|row| (shape(row), route(row), row))
            .collect();
        rows.sort_by(|a, b| (&a.0, a.2.verb).cmp(&(&b.0, b.2.verb)));
        rows.dedup_by(|a, b| (&a.0, a.2.verb) == (&b.0, b.2.verb));
        let permitted = rows.iter().filter(|(_, _, row)| row.permitted);
        Self {
            rights: permitted
                .map(|(_, route, row)| (route.key.clone(), condition(row)))
                .collect(),
            table: RouteTable::new(rows.into_iter().map(|(_, route, _)| route).collect()).unwrap(),
            stage: ApiStage::new(ARN.to_owned()),
            config: PolicyConfig {
                unlisted_paths: mode,
                conditions: true,
                gateway_cache: GatewayCache::Unknown,
            },
            max_bytes,
        }
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) fn build(&self, verb: &str, path: &str) -> Result<Document, Reason> {
        self.write(verb, path, |scope, asked| {
            build(scope, asked, &|route| self.permits(route), &|route| {
                self.condition(route)
            })
        })
    }

    /// The refusal of a request, which holds under this condition.
    pub(crate) fn deny(&self, verb: &str, path: &str, holds: &Condition) -> Document {
        let written = self.write(verb, path, |scope, asked| {
            Ok(build_denial(
                scope,
                asked,
                &|route| self.permits(route),
                &|route| self.condition(route),
                holds,
            ))
        });
        written.unwrap()
    }

    fn write(
        &self,
        verb: &str,
        path: &str,
        with: impl FnOnce(&Scope<'_>, &Asked<'_>) -> Result<Policy, Reason>,
    ) -> Result<Document, Reason> {
        let verb = Verb::parse(verb).unwrap();
        let located = NormalPath::parse(path).ok().map(|path| Located::Http {
            verb: verb.clone(),
            path,
        });
        let target = Target::Http {
            verb,
            path: path.to_owned(),
        };
        let scope = Scope {
            stage: &self.stage,
            table: &self.table,
            config: &self.config,
            max_bytes: self.max_bytes,
        };
        with(
            &scope,
            &Asked {
                target: &target,
                located: located.as_ref(),
            },
        )
        .map(|policy| Document(encode(&policy)))
    }

    fn permits(&self, route: &Route) -> bool {
        self.rights.contains_key(&route.key)
    }

    fn condition(&self, route: &Route) -> Condition {
        self.rights.get(&route.key).cloned().unwrap_or_default()
    }

    /// What the engine says of this very request.
    pub(crate) fn engine_allows(&self, verb: &str, raw: &str, caller: Caller) -> bool {
        let Ok(path) = NormalPath::parse(raw) else {
            return false;
        };
        let verb = Verb::parse(verb).unwrap();
        let route = self.table.find(&Located::Http { verb, path });
        let right = route.and_then(|route| self.rights.get(&route.key));
        right.is_some_and(|condition| {
            let within = |list: &[IpNet]| list.iter().any(|net| net.contains(&caller.from));
            condition.from.is_none_or(|begin| caller.now >= begin)
                && condition.addresses.as_deref().is_none_or(within)
                && !within(&condition.not_addresses)
        })
    }

    /// Whether the gateway cannot be asked for this path: it has the templates of the table, and none matches.
    pub(crate) fn is_out_of_reach(&self, raw: &str) -> bool {
        let Ok(path) = NormalPath::parse(raw) else {
            return false;
        };
        let path: Vec<&str> = path.segments().collect();
        let mut templates = self
            .table
            .routes()
            .iter()
            .filter_map(|route| match &route.place {
                Place::Http(_, template) => Some(&template.segments),
                Place::Connect | Place::GraphQl => None,
            });
        self.config.unlisted_paths == UnlistedPaths::Unreachable
            && !templates.any(|template| matches(template, &path))
    }
}

fn matches(template: &[Segment], path: &[&str]) -> bool {
    match (template, path) {
        ([], []) | ([Segment::Greedy(_)], [_, ..]) => true,
        ([Segment::Param(_), template @ ..], [_, path @ ..]) => matches(template, path),
        ([Segment::Literal(text), template @ ..], [first, path @ ..]) => {
            text == first && matches(template, path)
        }
        _ => false,
    }
}

/// A policy as the gateway gets it.
#[derive(Debug)]
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn allows(&self, verb: &str, raw: &str, caller: Caller) -> bool {
        let facts = iam::Facts {
            now: caller.now,
            source_ip: Some(caller.from),
            secure_transport: true,
            user_agent: None,
            referer: None,
        };
        let resource = format!("{ARN}/{verb}{raw}");
        iam::evaluate(&self.0, "execute-api:Invoke", &resource, &facts).unwrap()
            == iam::Effect::Allow
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.0.to_string().len()
    }

    /// The longest of its resources.
    pub(crate) fn longest_resource(&self) -> usize {
        let statements = self.0["Statement"].as_array().unwrap().iter();
        let resources = statements.flat_map(|s| s["Resource"].as_array().unwrap());
        resources.map(|r| r.as_str().unwrap().len()).max().unwrap()
    }
}

fn encode(policy: &Policy) -> Value {
    let statement = |said: &Statement| {
        let resources: Vec<String> = said
            .resources
            .iter()
            .map(|resource| format!("{ARN}/{resource}"))
            .collect();
        let effect = if said.effect == Effect::Allow {
            "Allow"
        } else {
            "Deny"
        };
        let mut value =
            json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources});
        let mut operators = serde_json::Map::new();
        if let Some(list) = &said.condition.addresses {
            operators.insert("IpAddress".to_owned(), json!({"aws:SourceIp": list}));
        }
        if !said.condition.not_addresses.is_empty() {
            operators.insert(
                "NotIpAddress".to_owned(),
                json!({"aws:SourceIp": said.condition.not_addresses}),
            );
        }
        for (operator, time) in [
            ("DateLessThan", said.condition.before),
            ("DateGreaterThanEquals", said.condition.from),
        ] {
            if let Some(time) = time {
                let time = time::OffsetDateTime::from_unix_timestamp(time.unix()).unwrap();
                let time = time.format(&time::format_description::well_known::Rfc3339);
                operators.insert(
                    operator.to_owned(),
                    json!({"aws:CurrentTime": time.unwrap()}),
                );
            }
        }
        if !operators.is_empty() {
            value["Condition"] = operators.into();
        }
        value
    };
    let statements: Vec<Value> = policy.statements().iter().map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn shape(row: &Row) -> String {
    Template::parse(&row.template).unwrap().shape()
}

fn route(row: &Row) -> Route {
    let verb = VERBS[row.verb];
    let methods = METHODS
        .iter()
        .find(|method| **method == verb)
        .map_or(Methods::Any, |method| Methods::One(method));
    let key = format!("{verb} {}", row.template);
    Route {
        name: key.clone(),
        key,
        place: Place::Http(methods, Template::parse(&row.template).unwrap()),
        credentials: Vec::new(),
        anonymous: false,
        scopes: Demand::default(),
        roles: Demand::default(),
        tenants: None,
        addresses: None,
        context: BTreeMap::new(),
        limits: Vec::new(),
        remote: doorward_engine::routes::Remote::default(),
    }
}

fn condition(row: &Row) -> Condition {
    let nets = |index: usize| -> Vec<IpNet> {
        LISTS[index]
            .iter()
            .map(|net| net.parse().unwrap())
            .collect()
    };
    let allow = nets(row.allow);
    Condition {
        before: Some(Timestamp::from_unix(1_900_000_000)),
        from: row.later.then_some(LATER),
        addresses: (!allow.is_empty()).then_some(allow),
        not_addresses: nets(row.deny),
    }
}
