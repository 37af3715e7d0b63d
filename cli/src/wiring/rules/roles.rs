//! What the authorizer may do, and what it is told.

use doorward_engine::{layers::rate_limit::LimitsStore, usage::UsageMode};

use super::{Asked, finding};
use crate::wiring::{
    Finding, Rule,
    model::{Function, Role, referenced},
};

/// Everything that an authorizer may ever need.
const USED: &[&str] = &[
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "dynamodb:PutItem",
    "s3:GetObject",
    "ssm:GetParameter",
    "secretsmanager:GetSecretValue",
    "appconfig:StartConfigurationSession",
    "appconfig:GetLatestConfiguration",
    "kms:Sign",
    "kms:GetPublicKey",
    "kms:Decrypt",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
];

/// Policies of AWS that let a function write its log and its traces, and stand in a VPC.
const HARMLESS: &[&str] = &[
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "VPCAccessPolicy",
];

/// Services whose actions know no resource (AWS: Service Authorization Reference).
const WITHOUT_RESOURCES: [&str; 2] = ["xray:", "ec2:"];

pub(super) fn look(asked: Asked<'_>, found: &mut Vec<Finding>) {
    let mut seen: Vec<&str> = Vec::new();
    for (_, authorizer) in asked.wiring.authorizers() {
        let id = authorizer.function.as_deref();
        let function = asked
            .wiring
            .functions
            .iter()
            .find(|one| Some(one.id.as_str()) == id);
        let Some(function) = function.filter(|one| !seen.contains(&one.id.as_str())) else {
            continue;
        };
        seen.push(&function.id);
        variables(asked, function, found);
        let id = function.role.as_ref().unwrap_or(&function.id);
        if let Some(role) = asked.wiring.roles.iter().find(|role| role.id == *id) {
            too_wide(role, found);
            on_keys(function, role, found);
            too_narrow(asked, function, role, found);
        } else {
            let message = "the role is not in this template";
            found.push(finding(Rule::Unknown, function.line, &function.id, message));
        }
    }
}

fn too_wide(role: &Role, found: &mut Vec<Finding>) {
    for (line, name) in &role.others {
        if !HARMLESS.iter().any(|known| name.ends_with(known)) {
            let message = format!("it has the policy `{name}`, which was made for others too");
            found.push(finding(Rule::RoleTooWide, *line, &role.id, message));
        }
    }
    for statement in &role.statements {
        let mut of =
            |rule, message: String| found.push(finding(rule, statement.line, &role.id, message));
        for action in &statement.actions {
            if action.contains('*') {
                of(Rule::RoleBoundless, format!("it grants `{action}`"));
            } else if !USED.iter().any(|used| used.eq_ignore_ascii_case(action)) {
                of(
                    Rule::RoleTooWide,
                    format!("it grants `{action}`, which the authorizer never does"),
                );
            }
        }
        let of_tables = statement
            .actions
            .iter()
            .any(|action| action.starts_with("dynamodb:"));
        for resource in statement
            .resources
            .iter()
            .filter(|one| of_tables && one.contains("table/*"))
        {
            of(
                Rule::RoleBoundless,
                format!("it grants on `{resource}`, which is every table"),
            );
        }
        let knows_resources = statement.actions.iter().any(|action| {
            !WITHOUT_RESOURCES
                .iter()
                .any(|begin| action.starts_with(begin))
        });
        if knows_resources && statement.resources.iter().any(|one| one == "*") {
            let actions = super::listed(&statement.actions);
            of(
                Rule::RoleBoundless,
                format!("it grants {actions} on everything"),
            );
        }
    }
}

/// The authorizer writes no keys.
fn on_keys(function: &Function, role: &Role, found: &mut Vec<Finding>) {
    let table = function.variables.get("DOORWARD_KEYS_TABLE");
    let Some(Some(table)) = table.map(|(table, _)| table.as_deref().and_then(referenced)) else {
        return;
    };
    let arn = format!("${{{table}.Arn}}");
    let of_keys = role
        .statements
        .iter()
        .filter(|one| one.resources.contains(&arn));
    for statement in of_keys {
        for action in ["dynamodb:PutItem", "dynamodb:UpdateItem"] {
            if statement.actions.iter().any(|one| one == action) {
                let message = format!(
                    "it grants `{action}` on the table of keys, which the authorizer only reads"
                );
                found.push(finding(
                    Rule::RoleTooWide,
                    statement.line,
                    &role.id,
                    message,
                ));
            }
        }
    }
}

fn too_narrow(asked: Asked<'_>, function: &Function, role: &Role, found: &mut Vec<Finding>) {
    let config = asked.config;
    let counts =
        counts_in_table(asked) || config.usage.mode != UsageMode::Off && config.usage.is_asked;
    for (action, is_needed, purpose) in [
        ("dynamodb:GetItem", config.api_keys.is_some(), "API keys"),
        (
            "dynamodb:Query",
            config.block_list.is_some(),
            "`block_list`",
        ),
        ("dynamodb:UpdateItem", counts, "limits and usage"),
        ("dynamodb:PutItem", config.needs_replay_store(), "`dpop`"),
        (
            "dynamodb:GetItem",
            config.needs_breaker_store(),
            "breakers that are shared",
        ),
    ] {
        if !is_needed || role.grants(action) {
            continue;
        }
        let message = format!("`{action}` is missing, for {purpose}");
        let (what, message) = if role.others.is_empty() {
            (Rule::RoleTooNarrow, message)
        } else {
            (
                Rule::Unknown,
                format!("{message}, unless another of its policies grants it"),
            )
        };
        found.push(finding(what, function.line, &function.id, message));
    }
}

fn counts_in_table(asked: Asked<'_>) -> bool {
    matches!(asked.config.limits.store, LimitsStore::DynamoDb) && asked.config.needs_limit_store()
}

fn variables(asked: Asked<'_>, function: &Function, found: &mut Vec<Finding>) {
    let config = asked.config;
    let counters = counts_in_table(asked)
        || config.needs_replay_store()
        || config.needs_breaker_store()
        || config.usage.is_asked;
    let keys = config.api_keys.is_some() || config.block_list.is_some();
    for (name, is_needed) in [
        ("DOORWARD_CONFIG", true),
        ("DOORWARD_KEYS_TABLE", keys),
        ("DOORWARD_COUNTERS_TABLE", counters),
    ] {
        if is_needed && !function.variables.contains_key(name) {
            let message = format!("`{name}` is not set");
            found.push(finding(
                Rule::VariableMissing,
                function.line,
                &function.id,
                message,
            ));
        }
    }
}
