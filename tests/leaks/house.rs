//! Key administration over an embedded `DynamoDB`, with the configuration of a gate.

use std::sync::{Arc, Mutex};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoKeys, TableNames},
    http::HttpKeySets,
};
use doorward_engine::config::{Config, ConfigEnv};
use doorward_key_admin::{
    Caller, Command, KeyAdmin, SystemEntropy,
    lambda::{Answer, Event, Function},
    leaks::PublicKeys,
};
use doorward_keys::{EventKind, KeyEvent, Timestamp};
use serde_json::{Value, json};

use crate::github::{GitHub, Signer};

/// 2026-11-23T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_428_000);
/// Where tokens are found.
pub(crate) const URL: &str = "https://github.com/octocat/hello/blob/1234/foo.txt";

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub(crate) struct House {
    pub(crate) github: GitHub,
    pub(crate) signer: Signer,
    pub(crate) keys: Arc<DynamoKeys>,
    pub(crate) config: Config,
    public_keys: Arc<PublicKeys>,
    dynamo: EmbeddedDynamo,
}

/// A key and its id.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) printed: String,
}

/// What is answered.
pub(crate) struct Answered {
    pub(crate) status: u64,
    pub(crate) body: Value,
}

impl House {
    /// A house whose `[leaks]` says `rules`.
    pub(crate) async fn open(rules: &str) -> Self {
        let signer = Signer::new("current");
        let github = GitHub::start(&[&signer]).await;
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names);
        let dynamo = dynamo.await.unwrap();
        let keys = DynamoKeys::new(dynamo.client().clone(), &names.keys);
        Self {
            config: config(rules, &github.url),
            github,
            signer,
            keys: Arc::new(keys),
            public_keys: Arc::new(PublicKeys::new(Arc::new(HttpKeySets::new()))),
            dynamo,
        }
    }

    pub(crate) async fn close(self) {
        self.dynamo.stop().await;
    }

    pub(crate) fn admin(&self) -> KeyAdmin {
        let api_keys = self.config.api_keys.as_ref().unwrap();
        KeyAdmin::from_config(api_keys, self.keys.clone())
            .with_outbox(self.keys.clone())
            .with_rotations(self.keys.clone())
            .with_leaks(self.config.leaks.clone())
    }

    pub(crate) fn function(&self, admin: KeyAdmin) -> Function {
        Function::new(admin, Arc::new(SystemEntropy), |line| {
            LOG.lock().unwrap().push(line.to_owned());
        })
        .with_public_keys(self.public_keys.clone())
    }

    pub(crate) async fn key(&self, environment: &str) -> Key {
        self.made(json!({"environment": environment})).await
    }

    pub(crate) async fn made(&self, more: Value) -> Key {
        let mut command = json!({"operation": "create", "tenant": "acme", "name": "ci"});
        for (name, value) in more.as_object().unwrap() {
            command[name] = value.clone();
        }
        let reply = self.asked(command).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Key {
            id: text(&reply["key"]["id"]),
            printed: text(&reply["secret"]),
        }
    }

    pub(crate) async fn asked(&self, command: Value) -> Value {
        let command: Command = serde_json::from_value(command).unwrap();
        let caller = Caller::operator("op");
        let reply = self
            .admin()
            .run(command, &caller, NOW, &SystemEntropy)
            .await;
        serde_json::to_value(reply.unwrap()).unwrap()
    }

    pub(crate) async fn status(&self, key: &Key) -> String {
        let shown = self.asked(json!({"operation": "get", "id": key.id})).await;
        shown["key"]["status"].as_str().unwrap().to_owned()
    }

    /// Sends a signed report of `tokens`, all found at [`URL`].
    pub(crate) async fn reported(&self, tokens: &[&str]) -> Answered {
        let body = report(tokens, URL);
        let event = event(&self.signer.name, &self.signer.sign(body.as_bytes()), &body);
        self.send(&event, 0).await
    }

    pub(crate) async fn send(&self, event: &Value, after: i64) -> Answered {
        send(&self.function(self.admin()), event, after).await
    }

    /// The notices of leaks that wait for their delivery.
    pub(crate) async fn told(&self) -> Vec<KeyEvent> {
        let mut waiting = doorward_tests::keys::waiting(self.keys.as_ref(), 1000).await;
        waiting.retain(|event| event.kind == EventKind::KeyLeaked);
        waiting
    }
}

pub(crate) async fn send(function: &Function, event: &Value, after: i64) -> Answered {
    let event: Event = serde_json::from_value(event.clone()).unwrap();
    match function.answer(event, "r", NOW.plus(after)).await {
        Answer::Body(answer) => Answered {
            status: answer["statusCode"].as_u64().unwrap(),
            body: serde_json::from_str(answer["body"].as_str().unwrap()).unwrap(),
        },
        Answer::Failure(failure) => panic!("{failure:?}"),
    }
}

/// Whether `text` stands in any line that was logged.
pub(crate) fn is_logged(text: &str) -> bool {
    let log = LOG.lock().unwrap();
    log.iter().any(|line| line.contains(text))
}

pub(crate) fn report(tokens: &[&str], url: &str) -> String {
    let found = |token: &&str| json!({"token": token, "type": "doorward_key", "url": url, "source": "commit"});
    Value::Array(tokens.iter().map(found).collect()).to_string()
}

/// The event of the gateway for a report. Nobody is named whom IAM knows.
pub(crate) fn event(key: &str, signature: &str, body: &str) -> Value {
    json!({
        "httpMethod": "POST", "resource": "/leaks/github", "path": "/v1/leaks/github",
        "headers": {
            "Github-Public-Key-Identifier": key, "Github-Public-Key-Signature": signature,
            "Content-Type": "application/json",
        },
        "requestContext": {"apiId": "a1b2c3", "stage": "v1", "identity": {"userArn": null}},
        "body": body, "isBase64Encoded": false,
    })
}

fn config(rules: &str, url: &str) -> Config {
    let text = format!(
        "[api_keys]\nprefix = 'ck'\nenvironments = ['live', 'test']\n[[api_keys.imported]]\nname = 'old'\nprefix = 'acme-'\n\
         min_length = 37\nalphabet = 'hex'\nhash = 'sha256'\n[leaks]\npublic_keys = '{url}'\n\
         danger_allow_http = true\n{rules}\n[[routes]]\nroute = 'GET /'\ncredentials = ['api_key']\n"
    );
    let env = ConfigEnv {
        read_file: &|_| Err(String::new()),
        secret: &|_| Err(String::new()),
    };
    let checked = Config::read(&text, "doorward.toml", &env);
    checked.map_err(|faults| faults.to_string()).unwrap().config
}
