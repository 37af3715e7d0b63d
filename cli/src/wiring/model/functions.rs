//! Functions, who may invoke them, and what their roles grant.

use std::collections::BTreeMap;

use super::{Reading, Wiring, referenced};
use crate::template::{Node, Value};

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Where it stands.
    pub line: usize,
    /// Its environment: values as far as they are known, and where they stand.
    pub variables: BTreeMap<String, (Option<String>, usize)>,
    /// Its role, by logical id.
    pub role: Option<String>,
    /// Whether it is one of Doorward's.
    pub is_doorwards: bool,
    /// Whether it is key administration.
    pub is_key_admin: bool,
}

/// Who may invoke a function.
#[derive(Clone, Debug)]
pub struct Permission {
    /// Its logical id.
    pub id: String,
    /// Where it stands.
    pub line: usize,
    /// The function, by logical id.
    pub function: Option<String>,
    /// Whether API Gateway is meant.
    pub is_for_gateway: bool,
    /// The source, as written.
    pub source: Option<String>,
    /// Whether it names an account.
    pub names_account: bool,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its logical id; that of the function where the policies stand there.
    pub id: String,
    /// What it grants.
    pub statements: Vec<Statement>,
    /// Policies that are named and not written here: where, and how they are called.
    pub others: Vec<(usize, String)>,
}

/// What a role grants in one statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Where it stands.
    pub line: usize,
    /// The actions.
    pub actions: Vec<String>,
    /// The resources.
    pub resources: Vec<String>,
}

impl Role {
    /// Whether it grants `action` on anything.
    pub fn grants(&self, action: &str) -> bool {
        let mut actions = self.statements.iter().flat_map(|one| &one.actions);
        actions.any(|granted| match granted.strip_suffix('*') {
            Some(begin) => action.starts_with(begin),
            None => granted.eq_ignore_ascii_case(action),
        })
    }
}

pub(super) fn read(reading: &Reading<'_>, wiring: &mut Wiring) {
    for kind in ["AWS::Serverless::Function", "AWS::Lambda::Function"] {
        for (id, resource, properties) in reading.of(kind) {
            let function = function(reading, id, resource, properties);
            if function.role.is_none() {
                wiring.roles.push(Role {
                    id: id.to_owned(),
                    statements: policies(properties.get("Policies")),
                    others: named(properties.get("Policies")),
                });
            }
            wiring.functions.push(function);
        }
    }
    for (id, resource, properties) in reading.of("AWS::Lambda::Permission") {
        let text = |name: &str| properties.get(name).and_then(Node::text);
        wiring.permissions.push(Permission {
            id: id.to_owned(),
            line: resource.line,
            function: text("FunctionName").map(|name| referenced(name).unwrap_or(name).to_owned()),
            is_for_gateway: text("Principal")
                .is_some_and(|principal| principal.starts_with("apigateway.") || principal == "*"),
            source: text("SourceArn").map(str::to_owned),
            names_account: properties.get("SourceAccount").is_some(),
        });
    }
    for (id, _, properties) in reading.of("AWS::IAM::Role") {
        let arns = properties.get("ManagedPolicyArns");
        wiring.roles.push(Role {
            id: id.to_owned(),
            statements: policies(properties.get("Policies")),
            others: named(arns),
        });
    }
    apart(reading, wiring);
}

/// Adds policies that stand by themselves to the roles that they are for.
fn apart(reading: &Reading<'_>, wiring: &mut Wiring) {
    for kind in [
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::RolePolicy",
    ] {
        for (id, _, properties) in reading.of(kind) {
            let of = ["Roles", "RoleName"]
                .into_iter()
                .filter_map(|name| properties.get(name));
            let of: Vec<&str> = of.flat_map(Node::texts).filter_map(referenced).collect();
            for role in &mut wiring.roles {
                let by_role = role
                    .others
                    .iter()
                    .position(|(_, name)| referenced(name) == Some(id));
                if let Some(at) = by_role {
                    role.others.remove(at);
                }
                if by_role.is_some() || of.contains(&role.id.as_str()) {
                    role.statements.extend(policies(Some(properties)));
                }
            }
        }
    }
}

fn function(reading: &Reading<'_>, id: &str, resource: &Node, properties: &Node) -> Function {
    let mut variables = BTreeMap::new();
    let path = ["Environment", "Variables"];
    let of_all = reading.globals.and_then(|all| all.get("Function"));
    for node in [of_all, Some(properties)].into_iter().flatten() {
        for (name, value) in node.at(&path).map_or(&[][..], Node::members) {
            variables.insert(name.clone(), (value.text().map(str::to_owned), value.line));
        }
    }
    let role = reading.setting(properties, "Function", "Role");
    let role = role.map(|role| {
        let text = role.text().unwrap_or_default();
        referenced(text).unwrap_or(text).to_owned()
    });
    let binary = resource.at(&["Metadata", "BuildProperties", "Binary"]);
    let binary = binary.and_then(Node::text).unwrap_or_default();
    let is_key_admin = binary == "key-admin" || variables.contains_key("DOORWARD_FLUSH_STAGES");
    Function {
        id: id.to_owned(),
        line: resource.line,
        is_doorwards: binary == "authorizer"
            || is_key_admin
            || variables.keys().any(|name| name.starts_with("DOORWARD_")),
        is_key_admin,
        variables,
        role,
    }
}

/// The statements of inline policies: those of a role, with a document each, and those of SAM, which may stand bare.
fn policies(node: Option<&Node>) -> Vec<Statement> {
    let all = node.map_or(&[][..], Node::list).iter();
    let statements = all.flat_map(|policy| {
        let document = policy.get("PolicyDocument").unwrap_or(policy);
        document.get("Statement").map_or(&[][..], Node::list)
    });
    let texts = |node: Option<&Node>| -> Vec<String> {
        let nodes = node.map_or(&[][..], Node::list).iter();
        nodes
            .map(|node| node.text().unwrap_or("?").to_owned())
            .collect()
    };
    statements
        .filter(|one| one.get("Effect").and_then(Node::text) != Some("Deny"))
        .map(|one| Statement {
            line: one.line,
            actions: texts(one.get("Action")),
            resources: texts(one.get("Resource")),
        })
        .collect()
}

/// Policies that are named and not written here: managed ones, and templates of SAM.
fn named(node: Option<&Node>) -> Vec<(usize, String)> {
    let all = node.map_or(&[][..], Node::list).iter();
    all.filter_map(|policy| {
        let name = match &policy.value {
            Value::Text(name) => name.clone(),
            Value::Map(members) => match members.as_slice() {
                [(name, _)] if name != "Statement" && name != "PolicyDocument" => name.clone(),
                _ => return None,
            },
            _ => "?".to_owned(),
        };
        Some((policy.line, name))
    })
    .collect()
}
