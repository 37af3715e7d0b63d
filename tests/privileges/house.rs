//! The tables behind a place that knows the role, and the environment of a function that goes there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{TableNames, connect};
use doorward_key_admin::{
    SystemEntropy,
    lambda::{Answer, Event, Function},
    wiring::Service,
};
use doorward_keys::Timestamp;
use doorward_tests::between::{Between, Fate};
use serde_json::Value;

use crate::{
    asked::{self, Asked},
    role::Role,
};

pub(crate) const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["live"]
retention_days = 0

[[api_keys.imported]]
name = "old"
min_length = 32
hash = "sha256"

[block_list]

[[issuers]]
name = "people"
issuer = "https://issuer.example"
algorithms = ["ES256"]
audiences = ["api"]
jwks_uri = "http://127.0.0.1:9/keys"
danger_allow_http = true

[limits.per_key]
limit = 100
per = "minute"

[[routes]]
route = "GET /orders"
credentials = ["api_key"]
limits = ["per_key"]
"#;

pub(crate) struct House {
    dynamo: EmbeddedDynamo,
    pub(crate) names: TableNames,
    between: Between,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    granted: Mutex<BTreeSet<Asked>>,
    denied: Mutex<Vec<Asked>>,
}

impl House {
    pub(crate) async fn open(role: Role) -> Self {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names);
        let dynamo = dynamo.await.unwrap();
        let seen = Arc::new(Seen::default());
        let noted = Arc::clone(&seen);
        let keys = names.keys.clone();
        let judge = move |call: &doorward_tests::between::Call| {
            let name_of = |table: &str| {
                let logical = if table == keys {
                    "KeysTable"
                } else {
                    "CountersTable"
                };
                logical.to_owned()
            };
            for asked in asked::all(call, name_of) {
                if !role.grants(&asked) {
                    let why = format!("not authorized to perform: {}", asked.action);
                    noted.denied.lock().unwrap().push(asked);
                    return Fate::Denied(why);
                }
                noted.granted.lock().unwrap().insert(asked);
            }
            Fate::Passed
        };
        let between = Between::start(&dynamo.endpoint_url(), judge).await.unwrap();
        Self {
            dynamo,
            names,
            between,
            seen,
        }
    }

    /// What the functions find in their environment.
    pub(crate) fn environment(&self, through: bool) -> BTreeMap<String, String> {
        let url = if through {
            self.between.url.clone()
        } else {
            self.dynamo.endpoint_url()
        };
        [
            ("DOORWARD_CONFIG", CONFIG.to_owned()),
            ("DOORWARD_KEYS_TABLE", self.names.keys.clone()),
            ("DOORWARD_COUNTERS_TABLE", self.names.counters.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", url),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A client that goes past the role's place, as the functions do.
    pub(crate) async fn client(&self) -> aws_sdk_dynamodb::Client {
        connect(doorward::dynamodb::connection(&self.between.url)).await
    }

    /// Does a command as the function of key administration does it, under the role.
    pub(crate) async fn command(&self, command: &str) -> Result<Value, String> {
        self.administer(command, true).await
    }

    /// The same for an event, past the role where `through` is false.
    pub(crate) async fn administer(&self, event: &str, through: bool) -> Result<Value, String> {
        let service = Service::start(self.environment(through), Duration::ZERO, clock, |_| {});
        let service = service.await.unwrap();
        let admin = service.admin(Duration::ZERO).await;
        let jobs = service.jobs(admin.clone(), || Duration::ZERO);
        let function = Function::new(admin, Arc::new(SystemEntropy), |_| {})
            .with_requests(service.requests())
            .with_jobs(jobs);
        let event: Event = serde_json::from_str(event).unwrap();
        match function.answer(event, "r", now()).await {
            Answer::Body(body) => Ok(body),
            Answer::Failure(diagnostic) => Err(diagnostic.error_type),
        }
    }

    pub(crate) fn denied(&self) -> Vec<Asked> {
        self.seen.denied.lock().unwrap().clone()
    }

    /// Nothing was denied; and without any one action, table or partition of the role something would have been.
    pub(crate) fn check(&self, role: &Role) {
        assert_eq!(self.denied(), []);
        let granted = self.seen.granted.lock().unwrap();
        assert!(!granted.is_empty());
        for statement in &role.statements {
            for action in &statement.actions {
                if !action.starts_with("dynamodb:") {
                    continue;
                }
                let is_used = granted
                    .iter()
                    .any(|asked| asked.action == *action && statement.grants(asked));
                let name = &statement.name;
                assert!(is_used, "nothing needs `{action}` of `{name}`");
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "keys are made and used now")]
pub(crate) fn clock() -> SystemTime {
    SystemTime::now()
}

pub(crate) fn now() -> Timestamp {
    let seconds = clock().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix(i64::try_from(seconds.as_secs()).unwrap())
}
