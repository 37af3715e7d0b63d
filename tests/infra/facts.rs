//! `infra/facts.json`: what `template.yaml` says of tables, functions, rights, refusals and logs, for whoever deploys by other means.
//! It is written from the template and never by hand.
//!
//! `${Name}` is a parameter, `${Name.Arn}` an attribute of a resource, `${Name.Ref}` its name, and `${AWS.Region}` what the template has
//! as `${AWS::Region}`: names that a template of Terraform can be given.

use std::collections::BTreeSet;

use doorward::template::Template;
use doorward_tests::golden;
use serde_json::{Map, Value, json};

use crate::tree::{of, template};

/// Parameters whose value is whoever deploys. While the template is read, the marks stand for them.
const OPEN: &[&str] = &[
    "AuthorizerTtlSeconds",
    "CorsAllowOrigin",
    "CrlObject",
    "EventBusName",
    "IdentityTokenKeyArn",
    "ParameterPath",
    "SecretPath",
    "StageName",
    "SuccessorSecretPath",
    "TableKeyArn",
];
const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];

fn opened(more: &[(&str, &str)]) -> Template {
    let [begin, end] = MARKS;
    let marked: Vec<String> = OPEN
        .iter()
        .map(|name| format!("{begin}{name}{end}"))
        .collect();
    let given = OPEN.iter().copied().zip(marked.iter().map(String::as_str));
    let given: Vec<_> = given.chain(more.iter().copied()).collect();
    template("template.yaml", &given)
}

/// The facts.
pub(crate) fn facts() -> Value {
    let whole = opened(&[]);
    let function = |id: &str| {
        let property = |name: &str| of(&whole, id, &["Properties", name]);
        let global = |name: &str| {
            let node = whole.root().at(&["Globals", "Function", name]).unwrap();
            json!(node.text().unwrap())
        };
        json!({
            "description": property("Description"),
            "memory": property("MemorySize"),
            "timeout": global("Timeout"),
            "runtime": global("Runtime"),
            "handler": global("Handler"),
            "environment": property("Environment")["Variables"],
        })
    };
    let role = |id: &str| {
        let policies = of(&whole, id, &["Properties", "Policies"]);
        policies[0]["PolicyDocument"]["Statement"].clone()
    };
    let schedule = |id: &str| {
        let event = of(
            &whole,
            "KeyAdminFunction",
            &["Properties", "Events", id, "Properties"],
        );
        json!({
            "expression": event["Schedule"],
            "input": event["Input"],
            "retries": event["RetryPolicy"]["MaximumRetryAttempts"],
        })
    };
    let table = |id: &str| of(&whole, id, &["Properties"]);
    let logged = [("LogsAccess", "true")];
    assert_eq!(whole.condition(logged[0].0), Some(true));
    let facts = json!({
        "about": "Written from template.yaml by `DOORWARD_BLESS=1 cargo test -p doorward-tests --test infra`; do not edit.",
        "tables": { "keys": table("KeysTable"), "counters": table("CountersTable") },
        "functions": { "authorizer": function("AuthorizerFunction"), "key_admin": function("KeyAdminFunction") },
        "roles": { "authorizer": role("AuthorizerRole"), "key_admin": role("KeyAdminRole") },
        "optional": optional(&whole),
        "gateway_responses": {
            "backend": gateway_responses(&whole),
            "deny": gateway_responses(&opened(&[("RateLimitedAnswer", "deny")])),
        },
        "access_log": {
            "rest": of(&whole, "RestApi", &["Properties", "AccessLogSetting", "Format"]),
            "http": of(&whole, "HttpApi", &["Properties", "AccessLogSettings", "Format"]),
            "filter": of(&whole, "RestAccessLogsToKeyAdmin", &["Properties", "FilterPattern"]),
        },
        "decoys_filter": of(&whole, "DecoysToKeyAdmin", &["Properties", "FilterPattern"]),
        "schedules": { "minute": schedule("EveryMinute"), "day": schedule("EveryDay") },
    });
    let resources: BTreeSet<String> = whole.resources().into_iter().map(|(id, _)| id).collect();
    renamed(facts, &resources)
}

/// The rights that are there only where a parameter asks for them: their names.
fn optional(whole: &Template) -> Value {
    let defaults = template("template.yaml", &[("FlushAuthorizerCache", "false")]);
    let names = |template: &Template, id: &str| -> BTreeSet<String> {
        let policies = of(template, id, &["Properties", "Policies"]);
        let statements = policies[0]["PolicyDocument"]["Statement"]
            .as_array()
            .unwrap()
            .clone();
        let names = statements.iter().map(|one| one["Sid"].as_str().unwrap());
        names.map(str::to_owned).collect()
    };
    let mut all = BTreeSet::new();
    for id in ["AuthorizerRole", "KeyAdminRole"] {
        let always = names(&defaults, id);
        all.extend(names(whole, id).difference(&always).cloned());
    }
    json!(all)
}

/// The gateway responses of the REST API as properties of `AWS::ApiGateway::GatewayResponse`, in the order of their types.
pub(crate) fn gateway_responses(whole: &Template) -> Vec<Value> {
    let by_sam = of(whole, "RestApi", &["Properties", "GatewayResponses"]);
    let by_sam = by_sam.as_object().unwrap().iter().map(|(kind, response)| {
        let headers = response["ResponseParameters"]["Headers"]
            .as_object()
            .unwrap();
        let headers: Map<_, _> = headers
            .iter()
            .map(|(name, value)| (format!("gatewayresponse.header.{name}"), value.clone()))
            .collect();
        (
            kind,
            &response["StatusCode"],
            json!(headers),
            &response["ResponseTemplates"],
        )
    });
    let path = [
        "Properties",
        "DefinitionBody",
        "x-amazon-apigateway-gateway-responses",
    ];
    let by_openapi = of(whole, "RestApi", &path);
    let by_openapi = by_openapi
        .as_object()
        .unwrap()
        .iter()
        .map(|(kind, response)| {
            let headers = response["responseParameters"].clone();
            (
                kind,
                &response["statusCode"],
                headers,
                &response["responseTemplates"],
            )
        });
    let all = by_sam.chain(by_openapi);
    let mut all: Vec<Value> = all
        .map(|(kind, status, headers, templates)| {
            let members = [
                ("ResponseType", json!(kind)),
                ("StatusCode", status.clone()),
                ("ResponseParameters", headers),
                ("ResponseTemplates", templates.clone()),
            ];
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()
        })
        .collect();
    all.sort_by_key(|response| response["ResponseType"].to_string());
    all
}

/// `value` with placeholders that a template of Terraform can be given.
fn renamed(value: Value, resources: &BTreeSet<String>) -> Value {
    match value {
        Value::String(text) => Value::String(renamed_text(&text, resources)),
        Value::Array(values) => values
            .into_iter()
            .map(|value| renamed(value, resources))
            .collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, renamed(value, resources)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

fn renamed_text(text: &str, resources: &BTreeSet<String>) -> String {
    let mut done = text.replace("${AWS::", "${AWS.");
    for id in resources {
        done = done.replace(&format!("${{{id}}}"), &format!("${{{id}.Ref}}"));
    }
    let [begin, end] = MARKS;
    done.replace(begin, "${").replace(end, "}")
}

#[test]
fn are_those_of_the_template() {
    golden::check("infra/facts.json", &format!("{:#}\n", facts()));
}

#[test]
fn whoever_builds_from_them_knows_every_right_that_is_optional() {
    let facts = facts();
    let optional = facts["optional"].as_array().unwrap();
    assert!(optional.len() >= 8, "{optional:?}");
    for path in ["infra/terraform/main.tf", "infra/cdk/lib/doorward.ts"] {
        let text = std::fs::read_to_string(golden::root().join(path)).unwrap();
        for name in optional {
            let name = name.as_str().unwrap();
            assert!(
                text.contains(&format!("{name}:")) || text.contains(&format!("{name} ")),
                "{path} does not know `{name}`"
            );
        }
    }
}
