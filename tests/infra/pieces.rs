//! The templates in `infra/` repeat what stands in `template.yaml`, word for word.

use doorward_key_admin::lambda::LEAKS;
use serde_json::{Value, json};

use crate::{
    facts,
    tree::{of, template},
};

const TABLE_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

#[test]
fn the_tables_are_the_same() {
    for given in [
        &[][..],
        &[("TableKeyArn", TABLE_KEY), ("DeletionProtection", "false")],
    ] {
        for table in ["KeysTable", "CountersTable"] {
            let whole = of(&template("template.yaml", given), table, &[]);
            assert_eq!(
                of(&template("infra/storage.yaml", given), table, &[]),
                whole
            );
            let key = &whole["Properties"]["SSESpecification"]["KMSMasterKeyId"];
            assert_eq!(key.as_str(), (!given.is_empty()).then_some(TABLE_KEY));
        }
    }
}

#[test]
fn the_gateway_responses_are_the_same() {
    for answered_by in ["backend", "deny"] {
        let given = &[
            ("RateLimitedAnswer", answered_by),
            ("CorsAllowOrigin", "https://a.example"),
        ];
        let responses = facts::gateway_responses(&template("template.yaml", given));
        let rest = template("infra/rest-authorizer.yaml", given);
        let mut attached: Vec<Value> = rest
            .resources()
            .iter()
            .map(|(id, _)| of(&rest, id, &[]))
            .filter(|resource| resource["Type"] == "AWS::ApiGateway::GatewayResponse")
            .map(|resource| {
                let mut properties = resource["Properties"].clone();
                assert_eq!(
                    properties.as_object_mut().unwrap().remove("RestApiId"),
                    Some(json!("${RestApiId}"))
                );
                properties
            })
            .collect();
        attached.sort_by_key(|response| response["ResponseType"].to_string());
        assert_eq!(json!(attached), json!(responses));
    }
}

#[test]
fn the_authorizers_are_wired_alike() {
    let whole = template("template.yaml", &[]);
    let path = ["Properties", "Auth", "Authorizers", "Doorward"];
    let rest = of(&whole, "RestApi", &path);
    let http = of(&whole, "HttpApi", &path);
    let attached_rest = of(
        &template("infra/rest-authorizer.yaml", &[]),
        "Authorizer",
        &["Properties"],
    );
    let attached_http = of(
        &template("infra/http-authorizer.yaml", &[]),
        "Authorizer",
        &["Properties"],
    );
    for (whole, attached, prefix) in [
        (&rest, &attached_rest, "method.request.header."),
        (&http, &attached_http, "$request.header."),
    ] {
        let identity = &whole["Identity"];
        assert_eq!(
            attached["AuthorizerResultTtlInSeconds"],
            identity["ReauthorizeEvery"]
        );
        let header = identity["Headers"][0].as_str().unwrap();
        assert_eq!(attached["IdentitySource"], format!("{prefix}{header}"));
    }
    assert_eq!(attached_rest["Type"], rest["FunctionPayloadType"]);
    assert_eq!(
        attached_http["AuthorizerPayloadFormatVersion"],
        http["AuthorizerPayloadFormatVersion"]
    );
    assert_eq!(
        attached_http["EnableSimpleResponses"],
        http["EnableSimpleResponses"]
    );
}

#[test]
fn logs_and_schedules_are_the_same() {
    let facts = facts::facts();
    let log = template("infra/access-log.yaml", &[]);
    let filter = of(
        &log,
        "AccessLogToKeyAdmin",
        &["Properties", "FilterPattern"],
    );
    assert_eq!(filter, facts["access_log"]["filter"]);
    for (output, format) in [("RestFormat", "rest"), ("HttpFormat", "http")] {
        let node = log.root().at(&["Outputs", output, "Value"]).unwrap();
        assert_eq!(node.text(), facts["access_log"][format].as_str());
    }
    let schedules = template("infra/schedules.yaml", &[]);
    for (id, name) in [("EveryMinute", "minute"), ("EveryDay", "day")] {
        let rule = of(&schedules, id, &["Properties"]);
        let fact = &facts["schedules"][name];
        assert_eq!(rule["ScheduleExpression"], fact["expression"]);
        assert_eq!(rule["Targets"][0]["Input"], fact["input"]);
        let retries = &rule["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"];
        assert_eq!(*retries, fact["retries"]);
    }
}

#[test]
fn whoever_may_be_anybody_is_named_and_nobody_else() {
    let whole = template("template.yaml", &[]);
    let events = of(&whole, "KeyAdminFunction", &["Properties", "Events"]);
    let open = events.as_object().unwrap().values().filter_map(|event| {
        let properties = &event["Properties"];
        (properties["Auth"]["Authorizer"] == "NONE").then(|| properties["Path"].as_str().unwrap())
    });
    let mut open: Vec<&str> = open.collect();
    open.sort_unstable();
    assert_eq!(open, ["/.well-known/jwks.json", LEAKS.1]);
}
