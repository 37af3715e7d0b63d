//! Both functions, as their environment wires them, over configurations and secrets that are kept by AWS.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_authorizer::{Call, Event, settings::Environment, wiring};
use doorward_backends::dynamodb::TableNames;
use doorward_key_admin::{
    Caller, Command, KeyAdmin, Reply, SystemEntropy,
    command::CreateKey,
    wiring::{Service, WiringError},
};
use doorward_keys::Timestamp;
use doorward_tests::remote::Remote;
use serde_json::json;

const SOURCES: [&str; 3] = [
    "ssm:/doorward/config",
    "secretsmanager:doorward/config",
    "appconfig:shop/prod/gate",
];
const OLD: &str = "the first pepper, of more than thirty-two bytes";
const NEW: &str = "the second pepper, of more than thirty-two bytes";

fn config(pepper: &str) -> String {
    format!(
        "[api_keys]\nprefix = \"ck\"\nenvironments = [\"live\"]\ncache_seconds = 0\nnegative_cache_seconds = 0\n{pepper}\n\
         [[routes]]\nroute = \"GET /orders\"\ncredentials = [\"api_key\"]\n"
    )
}

struct World {
    remote: Remote,
    dynamo: EmbeddedDynamo,
    source: &'static str,
}

impl World {
    async fn with(source: &'static str) -> Self {
        let tables = TableNames::default();
        let started = EmbeddedDynamo::start(&Storage::Memory, 0, &tables);
        let world = Self {
            remote: Remote::start().await.unwrap(),
            dynamo: started.await.unwrap(),
            source,
        };
        world.remote.put("ssm:/doorward/pepper", OLD);
        world.remote.put("secretsmanager:doorward/pepper", NEW);
        world
            .remote
            .put(source, &config("pepper = \"ssm:/doorward/pepper\""));
        world
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let own = [
            ("DOORWARD_CONFIG", self.source.to_owned()),
            ("DOORWARD_KEYS_TABLE", TableNames::default().keys),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamo.endpoint_url()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        self.remote.variables().into_iter().chain(own).collect()
    }

    async fn key_admin(&self, log: fn(&str)) -> Result<Service, WiringError> {
        Service::start(self.environment(), at(0), now, log).await
    }

    async fn accepts(&self, key: &str) -> bool {
        let environment: Environment = self.environment().into_iter().collect();
        let service = wiring::Service::start(environment, Arc::new(|_| {})).await;
        let event = json!({
            "type": "TOKEN", "authorizationToken": format!("Bearer {key}"),
            "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders",
        });
        let call = Call {
            request_id: "r".to_owned(),
            trace_id: None,
            received_at: timestamp().into(),
            time_left: None,
        };
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        service.authorizer().handle(&event, &call).await.is_ok()
    }
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[expect(clippy::disallowed_methods, reason = "keys are made and used now")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn timestamp() -> Timestamp {
    let seconds = now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_unix(i64::try_from(seconds).unwrap())
}

async fn made(admin: &KeyAdmin) -> String {
    let command = Command::Create(CreateKey {
        tenant: "acme".to_owned(),
        name: "ci".to_owned(),
        environment: "live".to_owned(),
        scopes: vec![],
        routes: None,
        addresses: None,
        expires_in_days: None,
        plan: None,
        usage_plan_key: None,
        decoy: false,
        metadata: BTreeMap::new(),
        idempotency_key: None,
    });
    let operator = Caller::operator("test");
    let reply = admin.run(command, &operator, timestamp(), &SystemEntropy);
    let made = match reply.await.unwrap() {
        Reply::Created { secret, .. } => Some(secret.expose().to_owned()),
        _ => None,
    };
    made.unwrap()
}

#[tokio::test]
async fn a_key_made_with_a_pepper_from_afar_is_accepted_whatever_keeps_the_configuration() {
    for source in SOURCES {
        let world = World::with(source).await;
        let service = world.key_admin(|_| {}).await.unwrap();
        let key = made(&service.admin(at(0)).await).await;
        assert!(world.accepts(&key).await, "{source}");
        let other = config("pepper = \"secretsmanager:doorward/pepper\"");
        world.remote.put(source, &other);
        assert!(!world.accepts(&key).await, "{source}: any pepper would do");
    }
}

#[tokio::test]
async fn a_changed_pepper_makes_the_next_key_after_the_interval() {
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let world = World::with(SOURCES[0]).await;
    let log = |line: &str| LOG.lock().unwrap().push(line.to_owned());
    let service = world.key_admin(log).await.unwrap();
    let both =
        "pepper = \"secretsmanager:doorward/pepper\"\nprevious_pepper = \"ssm:/doorward/pepper\"";
    world.remote.put(world.source, &config(both));

    let early = made(&service.admin(at(59)).await).await;
    let late = made(&service.admin(at(60)).await).await;
    assert!(world.accepts(&early).await && world.accepts(&late).await);
    let only_new = config("pepper = \"secretsmanager:doorward/pepper\"");
    world.remote.put(world.source, &only_new);
    assert!(!world.accepts(&early).await && world.accepts(&late).await);

    let log = LOG.lock().unwrap().join("\n");
    assert!(log.contains("config_replaced") && log.contains(world.source));
    assert!(!log.contains(OLD) && !log.contains(NEW));
}

#[tokio::test]
async fn a_bad_new_version_is_refused_and_the_old_one_stays() {
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let world = World::with(SOURCES[1]).await;
    let log = |line: &str| LOG.lock().unwrap().push(line.to_owned());
    let service = world.key_admin(log).await.unwrap();
    for (turn, bad) in [
        config("peper = \"ssm:/doorward/pepper\""),
        config("pepper = \"ssm:/doorward/gone\""),
        "[[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        world.remote.put(world.source, bad);
        let later = at(60 * (u64::try_from(turn).unwrap() + 1));
        let key = made(&service.admin(later).await).await;
        let good = config("pepper = \"ssm:/doorward/pepper\"");
        world.remote.put(world.source, &good);
        assert!(world.accepts(&key).await);
    }
    let lines = LOG.lock().unwrap();
    let causes = ["peper", "ParameterNotFound", "has no `api_keys`"];
    assert_eq!(lines.len(), causes.len(), "{lines:?}");
    for (line, cause) in lines.iter().zip(causes) {
        assert!(
            line.contains("config_refused") && line.contains(cause),
            "{line}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_had_at_the_start_is_named_and_no_secret_is() {
    let world = World::with(SOURCES[0]).await;
    let why = async || match world.key_admin(|_| {}).await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    };
    let missing = config("pepper = \"secretsmanager:gone\"");
    world.remote.put(world.source, &missing);
    assert_eq!(
        why().await,
        "ssm:/doorward/config:6:10: api_keys.pepper: the secret cannot be had: `secretsmanager:gone`: status 400: ResourceNotFoundException"
    );
    world.remote.put("ssm:/doorward/pepper", "hunter2");
    let short = config("pepper = \"ssm:/doorward/pepper\"");
    world.remote.put(world.source, &short);
    let said = why().await;
    assert!(
        said.contains("at least 32 bytes") && !said.contains("hunter2"),
        "{said}"
    );

    let mut without = world.environment();
    without.remove("AWS_ACCESS_KEY_ID");
    let error = Service::start(without, at(0), now, |_| {}).await;
    assert_eq!(
        error.err().unwrap().to_string(),
        "`ssm:/doorward/config` cannot be read: no region and no credentials of AWS are set here"
    );
}
