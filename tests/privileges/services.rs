//! The services beside `DynamoDB` that key administration calls, in one place that knows the role: events, versions of secrets and the
//! caches of stages.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{Response, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::TableNames;
use doorward_key_admin::{
    SystemEntropy,
    lambda::{Answer, Event, Function},
    wiring::Service,
};
use doorward_keys::Timestamp;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::{
    asked::Asked,
    house::{CONFIG, clock, now},
    role::Role,
};

/// Every option of the template that gives key administration a right, switched on.
const OPTIONS: [(&str, &str); 2] = [
    ("EventBusName", "keys"),
    ("SuccessorSecretPath", "partners"),
];

const REGION: &str = "arn:${AWS::Partition}:";

/// What a request asks for, as IAM sees it.
fn asked(method: &str, path: &str, target: &str, body: &Value) -> Asked {
    let here = "${AWS::Region}:${AWS::AccountId}";
    let (action, resource) = match target {
        "AWSEvents.PutEvents" => {
            let bus = body["Entries"][0]["EventBusName"].as_str().unwrap();
            let action = "events:PutEvents".to_owned();
            (action, format!("{REGION}events:{here}:event-bus/{bus}"))
        }
        target if target.starts_with("secretsmanager.") => {
            let secret = body["SecretId"].as_str().unwrap();
            let action = target.replace('.', ":");
            (
                action,
                format!("{REGION}secretsmanager:{here}:secret:{secret}"),
            )
        }
        _ => {
            // HTTP APIs are called below /v2, and IAM names them without.
            let path = path.trim_start_matches("/v2");
            let path = path
                .replace("/REST/", "/${RestApi}/")
                .replace("/HTTP/", "/${HttpApi}/");
            (
                format!("apigateway:{method}"),
                format!("{REGION}apigateway:${{AWS::Region}}::{path}"),
            )
        }
    };
    let entries = body["Entries"].as_array().into_iter().flatten();
    Asked {
        action,
        resource,
        leading_key: String::new(),
        sources: entries
            .map(|entry| entry["Source"].as_str().unwrap().to_owned())
            .collect(),
    }
}

/// The services, and what was asked of them: whether it was granted.
struct Services {
    url: String,
    seen: Arc<Mutex<Vec<(Asked, bool)>>>,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Services {
    /// The kinds of all events so far.
    fn told(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let kinds = events
            .iter()
            .map(|event| event["DetailType"].as_str().unwrap());
        kinds.map(str::to_owned).collect()
    }

    async fn under(role: Role) -> Self {
        let seen: Arc<Mutex<Vec<(Asked, bool)>>> = Arc::default();
        let noted = Arc::clone(&seen);
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&events);
        let app = Router::new().fallback(move |request: Request| {
            let (role, noted, kept) = (role.clone(), Arc::clone(&noted), Arc::clone(&kept));
            async move {
                let target = request.headers().get("x-amz-target");
                let target = target
                    .map_or("", |value| value.to_str().unwrap())
                    .to_owned();
                let method = request.method().to_string();
                let path = request.uri().path().to_owned();
                let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let asked = asked(&method, &path, &target, &body);
                let is_granted = role.grants(&asked);
                noted.lock().unwrap().push((asked, is_granted));
                let entries = body["Entries"].as_array().cloned();
                kept.lock().unwrap().extend(entries.into_iter().flatten());
                answered(&target, &body, is_granted)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen, events }
    }
}

fn answered(target: &str, body: &Value, is_granted: bool) -> Response<Body> {
    let (status, text) = match target {
        _ if !is_granted => (
            StatusCode::BAD_REQUEST,
            json!({"__type": "AccessDeniedException", "Message": "not authorized"}),
        ),
        "AWSEvents.PutEvents" => {
            let entries = body["Entries"].as_array().unwrap();
            let ids: Vec<Value> = entries.iter().map(|_| json!({"EventId": "1"})).collect();
            (
                StatusCode::OK,
                json!({"FailedEntryCount": 0, "Entries": ids}),
            )
        }
        "secretsmanager.DescribeSecret" => (
            StatusCode::OK,
            json!({"VersionIdsToStages": {"old": ["AWSCURRENT"], "new": ["AWSPENDING"]}}),
        ),
        _ => (StatusCode::OK, json!({"VersionId": "new"})),
    };
    let response = Response::builder().status(status);
    let response = response.header("content-type", "application/x-amz-json-1.1");
    response.body(Body::from(text.to_string())).unwrap()
}

/// A batch of the authorizer's log with one use of a decoy.
fn used(key: &Value) -> Value {
    let line = json!({
        "level": "WARN", "event": "decision", "decision": "deny", "reason": "decoy_key", "keyId": key, "address": "203.0.113.7",
    });
    let batch = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/doorward/shop/authorizer",
        "logStream": "s", "subscriptionFilters": ["decoys"],
        "logEvents": [{"id": "1", "timestamp": now().unix() * 1000, "message": line.to_string()}],
    });
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(batch.to_string().as_bytes()).unwrap();
    json!({"awslogs": {"data": STANDARD.encode(packed.finish().unwrap())}})
}

#[tokio::test]
async fn beside_its_tables_key_administration_needs_what_its_role_grants_and_no_more() {
    let role = Role::with("KeyAdminRole", &OPTIONS);
    let services = Services::under(role.clone()).await;
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let environment: BTreeMap<String, String> = [
        ("DOORWARD_CONFIG", CONFIG),
        ("DOORWARD_KEYS_TABLE", &names.keys),
        ("DOORWARD_COUNTERS_TABLE", &names.counters),
        ("DOORWARD_EVENT_BUS", "keys"),
        ("DOORWARD_GATEWAY_TTL_SECONDS", "3600"),
        ("DOORWARD_FLUSH_STAGES", "rest:REST/v1,http:HTTP/v1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL", &services.url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamo.endpoint_url()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let service = Service::start(environment, Duration::ZERO, clock, |_| {})
        .await
        .unwrap();
    let admin = service.admin(Duration::ZERO).await;
    let jobs = service.jobs(admin.clone(), || Duration::ZERO);
    let function = Function::new(admin, Arc::new(SystemEntropy), |_| {})
        .with_requests(service.requests())
        .with_jobs(jobs);
    let ask = async |command: Value, at: Timestamp| {
        let event: Event = serde_json::from_str(&command.to_string()).unwrap();
        match function.answer(event, "r", at).await {
            Answer::Body(body) => body,
            Answer::Failure(diagnostic) => panic!("{command}: {diagnostic:?}"),
        }
    };
    let make = json!({"operation": "create", "tenant": "acme", "name": "n", "environment": "live"});
    let (one, other) = (ask(make.clone(), now()).await, ask(make, now()).await);
    ask(
        json!({"operation": "revoke", "id": one["key"]["id"]}),
        now(),
    )
    .await;
    let secret = json!({
        "operation": "schedule", "id": other["key"]["id"], "inDays": 1, "secret": "secretsmanager:partners/acme",
    });
    ask(secret, now()).await;
    let block = json!({
        "operation": "block", "issuer": "https://issuer.example", "subject": "ann", "expiresInSeconds": 60,
    });
    let blocked = ask(block, now()).await;
    ask(
        json!({"operation": "unblock", "id": blocked["block"]["id"]}),
        now(),
    )
    .await;
    let decoy = json!({
        "operation": "create", "tenant": "acme", "name": "decoy", "environment": "live", "decoy": true,
    });
    let decoy = ask(decoy, now()).await;
    ask(used(&decoy["key"]["id"]), now()).await;
    // Whatever happened is told by what made it happen, and waits for no job.
    let told = services.told();
    for kind in [
        "KeyCreated",
        "KeyRevoked",
        "DecoyKeyUsed",
        "TokensBlocked",
        "TokensUnblocked",
    ] {
        assert!(told.iter().any(|one| one == kind), "{kind}: {told:?}");
    }
    // A day and some minutes later everything is due: the flush, the rotation, and what becomes of the old secret.
    for minutes in 1_u8..=4 {
        let at = now().plus(86_400 + i64::from(minutes) * 3600);
        ask(json!({"job": "minute"}), at).await;
    }
    ask(json!({"job": "day"}), now().plus(3 * 86_400)).await;

    let seen = services.seen.lock().unwrap().clone();
    let denied: Vec<_> = seen.iter().filter(|(_, is_granted)| !is_granted).collect();
    assert!(denied.is_empty(), "{denied:#?}");
    let others = role.statements.iter().flat_map(|statement| {
        let actions = statement
            .actions
            .iter()
            .map(move |action| (statement, action));
        actions
            .filter(|(_, action)| !action.starts_with("dynamodb:") && !action.starts_with("logs:"))
    });
    for (statement, action) in others {
        let is_used = seen
            .iter()
            .any(|(asked, _)| asked.action == *action && statement.grants(asked));
        let name = &statement.name;
        assert!(is_used, "nothing needs `{action}` of `{name}`: {seen:#?}");
    }
}

#[test]
fn it_is_one_bus_one_path_of_secrets_and_two_stages() {
    let role = Role::with("KeyAdminRole", &OPTIONS);
    for (action, resource) in [
        (
            "events:PutEvents",
            "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default",
        ),
        (
            "secretsmanager:PutSecretValue",
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:others/acme",
        ),
        (
            "secretsmanager:GetSecretValue",
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:partners/acme",
        ),
        (
            "apigateway:DELETE",
            "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestApi}",
        ),
    ] {
        let asked = Asked {
            action: action.to_owned(),
            resource: resource.to_owned(),
            leading_key: String::new(),
            sources: vec![],
        };
        assert!(!role.grants(&asked), "{asked:?}");
    }
}
