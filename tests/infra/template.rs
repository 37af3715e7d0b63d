//! What parameters of `template.yaml` do.

use doorward_key_admin::rest::problem::{INSTANCE_PREFIX, KINDS, TYPE_PREFIX};
use doorward_tests::golden;
use serde_json::{Value, json};

use crate::tree::{of, template};

const CERTIFICATE: (&str, &str) = (
    "DomainCertificateArn",
    "arn:aws:acm:eu-west-1:111122223333:certificate/1",
);
const DOMAINS: [(&str, &str); 2] = [
    ("RestDomainName", "api.example.com"),
    ("HttpDomainName", "http.example.com"),
];

fn is_there(given: &[(&str, &str)], id: &str) -> bool {
    let resources = template("template.yaml", given).resources();
    resources.iter().any(|(known, _)| known == id)
}

#[test]
fn a_domain_closes_the_default_address_of_its_own_api() {
    let closed = |given: &[(&str, &str)], id: &str| {
        of(
            &template("template.yaml", given),
            id,
            &["Properties", "DisableExecuteApiEndpoint"],
        )
    };
    for id in ["RestApi", "HttpApi"] {
        assert_eq!(closed(&[], id), false, "{id}");
    }
    assert_eq!(closed(&[DOMAINS[0], CERTIFICATE], "RestApi"), true);
    assert_eq!(closed(&[DOMAINS[0], CERTIFICATE], "HttpApi"), false);
    assert_eq!(closed(&[DOMAINS[1], CERTIFICATE], "HttpApi"), true);
}

#[test]
fn a_truststore_makes_both_domains_ask_for_certificates() {
    let given = [
        DOMAINS[0],
        DOMAINS[1],
        CERTIFICATE,
        ("TruststoreUri", "s3://pki/all.pem"),
    ];
    for id in ["RestDomain", "HttpDomain"] {
        assert!(!is_there(&[], id), "{id}");
        let asked = of(&template("template.yaml", &given), id, &["Properties"]);
        assert_eq!(
            asked["MutualTlsAuthentication"],
            json!({ "TruststoreUri": "s3://pki/all.pem" })
        );
        let pinned = [&given[..], &[("TruststoreVersion", "7")]].concat();
        let pinned = of(&template("template.yaml", &pinned), id, &["Properties"]);
        assert_eq!(pinned["MutualTlsAuthentication"]["TruststoreVersion"], "7");
        let open = of(&template("template.yaml", &given[..3]), id, &["Properties"]);
        assert!(open["MutualTlsAuthentication"].is_null());
    }
}

#[test]
fn a_web_acl_and_alarms_are_there_where_they_are_asked_for() {
    let acl = (
        "WebAclArn",
        "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/1",
    );
    let topic = ("AlarmTopicArn", "arn:aws:sns:eu-west-1:111122223333:alarms");
    for (given, id) in [(acl, "WebAclStandsBeforeRestApi"), (topic, "Monitoring")] {
        assert!(!is_there(&[], id), "{id}");
        assert!(is_there(&[given], id), "{id}");
    }
}

#[test]
fn the_authorizers_of_the_rest_api_differ_in_their_sources_alone() {
    let whole = template("template.yaml", &[]);
    let authorizers = of(&whole, "RestApi", &["Properties", "Auth", "Authorizers"]);
    let mut sources = vec![];
    let mut rest = vec![];
    for (name, authorizer) in authorizers.as_object().unwrap() {
        let mut authorizer = authorizer.clone();
        let identity = authorizer["Identity"].as_object_mut().unwrap();
        sources.push((
            name.as_str(),
            identity.remove("Context").unwrap_or_default(),
        ));
        rest.push(authorizer);
    }
    assert!(rest.windows(2).all(|pair| pair[0] == pair[1]), "{rest:?}");
    assert_eq!(
        sources,
        [
            ("Doorward", Value::Null),
            ("DoorwardByAddress", json!(["identity.sourceIp"])),
            (
                "DoorwardByCertificate",
                json!(["identity.clientCert.clientCertPem"])
            ),
        ]
    );
    let allowed = whole
        .root()
        .at(&["Parameters", "RestAuthorizer", "AllowedValues"]);
    let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
    assert_eq!(allowed.unwrap().texts(), names);
}

#[test]
fn what_the_gateway_of_the_admin_api_refuses_is_a_problem() {
    let whole = template("template.yaml", &[]);
    let responses = of(&whole, "AdminApi", &["Properties", "GatewayResponses"]);
    let responses = responses.as_object().unwrap();
    assert!(responses.len() >= 7);
    for (kind, response) in responses {
        let headers = &response["ResponseParameters"]["Headers"];
        assert_eq!(
            headers["Content-Type"], "'application/problem+json'",
            "{kind}"
        );
        let body = response["ResponseTemplates"]["application/json"]
            .as_str()
            .unwrap();
        let body = body
            .replace("$context.error.messageString", "\"Why\"")
            .replace("$context.requestId", "r-1");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["instance"], format!("{INSTANCE_PREFIX}r-1"), "{kind}");
        for member in ["type", "title", "detail", "code"] {
            assert!(body[member].is_string(), "{kind}: {member}");
        }
        if let Some(code) = body["type"].as_str().unwrap().strip_prefix(TYPE_PREFIX) {
            let (_, status, title) = KINDS.iter().find(|(known, ..)| *known == code).unwrap();
            assert_eq!(
                (&body["status"], &body["title"]),
                (&json!(status), &json!(title)),
                "{kind}"
            );
            assert_eq!(body["code"], code, "{kind}");
        }
        if !response["StatusCode"].is_null() {
            assert_eq!(response["StatusCode"], body["status"].to_string(), "{kind}");
        }
    }
}

#[test]
fn every_parameter_is_explained() {
    let text = std::fs::read_to_string(golden::root().join("docs/deploy.md")).unwrap();
    let whole = template("template.yaml", &[]);
    let parameters = whole.root().get("Parameters").unwrap();
    assert!(parameters.members().len() > 20);
    for (name, _) in parameters.members() {
        let is_row = |line: &str| line.starts_with('|') && line.contains(&format!("`{name}`"));
        assert!(
            text.lines().any(is_row),
            "docs/deploy.md has no row for `{name}`"
        );
    }
}
