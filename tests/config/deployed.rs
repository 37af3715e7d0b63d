//! The configuration that is deployed with the template, under the variables that the template gives.

use std::{
    fs::read_to_string,
    path::Path,
    sync::{Arc, Mutex},
};

use doorward_authorizer::{Call, Event, Refusal, settings::Environment, wiring::Service};
use doorward_key_admin::{
    lambda::LEAKS,
    rest::{ROUTES, table::DOCUMENT},
};
use doorward_keys::Timestamp;
use doorward_tests::dynamodb::Silent;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The variables of the authorizer in the template whose value is always there, each with a value that stands for it.
fn variables() -> Vec<(String, String)> {
    let text = read_to_string(root().join("template.yaml")).unwrap();
    let (_, function) = text.split_once("\n  AuthorizerFunction:\n").unwrap();
    let (_, variables) = function.split_once("        Variables:\n").unwrap();
    let lines = variables.lines();
    let lines = lines.take_while(|line| line.starts_with("          "));
    let pairs = lines.filter(|line| !line.contains('#') && !line.contains("!If"));
    let pairs = pairs.map(|line| line.trim().split_once(": ").unwrap());
    pairs
        .map(|(name, value)| {
            let layer = root().join("infra/config/doorward.toml");
            let value = match value {
                "/opt/doorward.toml" => layer.display().to_string(),
                "!Ref AuthorizerTtlSeconds" => "60".to_owned(),
                table => table.trim_start_matches("!Ref ").to_owned(),
            };
            (name.to_owned(), value)
        })
        .collect()
}

const EVENT: &[u8] = br#"{"type": "TOKEN", "authorizationToken": "Bearer nothing-of-ours",
    "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/v1/POST/orders"}"#;

fn event() -> Event<'static> {
    Event::parse(EVENT)
}

fn call() -> Call {
    Call {
        request_id: "r".to_owned(),
        trace_id: None,
        received_at: Timestamp::from_unix(1_800_000_000).into(),
        time_left: None,
    }
}

#[test]
fn every_route_of_key_administration_is_deployed() {
    let text = read_to_string(root().join("template.yaml")).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.contains("RestApiId: !Ref AdminApi"));
    let mut deployed: Vec<String> = lines
        .map(|line| {
            let value = |name: &str| {
                let (_, rest) = line.split_once(name).unwrap();
                let value = rest.split([',', ' ']).next().unwrap();
                value.trim_matches('"').to_owned()
            };
            format!("{} {}", value("Method: ").to_uppercase(), value("Path: "))
        })
        .collect();
    deployed.sort();
    let own = ROUTES.iter().map(|route| (route.method, route.resource));
    let all = own.chain([DOCUMENT, LEAKS, ("GET", "/.well-known/jwks.json")]);
    let mut routes: Vec<String> = all
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    routes.sort();
    assert_eq!(deployed, routes);
}

#[tokio::test]
async fn the_deployed_authorizer_has_all_that_its_configuration_needs() {
    let mut environment = variables();
    assert!(environment.len() >= 3, "{environment:?}");
    // What Lambda adds; nobody listens there.
    for (name, value) in [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("DOORWARD_INIT_BUDGET_MS", "100"),
    ] {
        environment.push((name.to_owned(), value.to_owned()));
    }
    let environment: Environment = environment.into_iter().collect();
    let service = Service::start(environment, Arc::new(|_| {})).await;
    let answer = service.authorizer().handle(&event(), &call()).await;
    // A function with a fault fails every request; this one looks at the credential.
    assert!(matches!(answer, Err(Refusal::Unauthorized)));
}

#[tokio::test]
async fn a_configuration_that_does_not_come_in_time_refuses_everything_and_says_so() {
    let silent = Silent::start().await.unwrap();
    let environment: Environment = [
        ("DOORWARD_CONFIG", "ssm:/doorward/config"),
        ("DOORWARD_INIT_BUDGET_MS", "200"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_SSM", &silent.url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
    .collect();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let sink = Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()));
    let service = Service::start(environment, sink).await;
    let said = lines.lock().unwrap().join("\n");
    assert!(said.contains("did not come within 200 ms"), "{said}");
    let answer = service.authorizer().handle(&event(), &call()).await;
    assert_eq!(answer, Err(Refusal::Failed));
}
