//! A sandbox: the process, the table behind a line that can be cut, and Lambda.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoKeys, DynamoUsage, Patience, TableNames};
use doorward_keys::{
    AuditAction, AuditEntry, Hour, Hours, KeyId, KeyLedger, KeyRecord, KeyStatus, Timestamp, Usage,
    UsageReader,
    format::{KeyFormat, MintedKey},
};
use doorward_tests::{
    keys::{audit, record},
    line::{Line, Mode},
    runtime_api::{Answered, RuntimeApi},
};
use serde_json::{Value, json};

/// The timeout that the template gives the function.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The configuration of these sandboxes, before what a test adds. Its keys are remembered for so long that the table of keys
/// is asked once.
const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["live"]
cache_seconds = 300

[[routes]]
route = "GET /orders"
credentials = ["api_key"]
scopes = ["orders:read"]
"#;

/// The table, for as long as a test runs.
pub(crate) struct House {
    dynamo: EmbeddedDynamo,
    names: TableNames,
    line: Line,
}

impl House {
    pub(crate) async fn open() -> Self {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names);
        let dynamo = dynamo.await.unwrap();
        let server = dynamo.endpoint_url().replace("http://", "");
        Self {
            line: Line::to(server.parse().unwrap()).await.unwrap(),
            dynamo,
            names,
        }
    }

    /// Cuts the line to the table, makes it dumb or whole.
    pub(crate) fn line(&self, mode: Mode) {
        self.line.set(mode);
    }

    pub(crate) fn dynamo(&self) -> &EmbeddedDynamo {
        &self.dynamo
    }

    pub(crate) fn keys(&self) -> &str {
        &self.names.keys
    }

    pub(crate) fn counters(&self) -> &str {
        &self.names.counters
    }

    /// Key `number`: its id and what is presented.
    pub(crate) async fn key(&self, number: u8, status: KeyStatus) -> (KeyId, String) {
        let format = KeyFormat {
            prefix: "ck".to_owned(),
            environments: vec!["live".to_owned()],
            pepper: None,
            previous_pepper: None,
        };
        let MintedKey {
            digest, printed, ..
        } = format.mint("live", [number; 32]).unwrap();
        let key = KeyRecord {
            digest,
            status,
            expires_at: None,
            ..record("acme", u64::from(number))
        };
        let entry: AuditEntry = audit(AuditAction::Create, &key, 0);
        let keys = DynamoKeys::new(self.dynamo.client().clone(), &self.names.keys);
        keys.create(&key, &entry, None).await.unwrap();
        (key.id, printed.expose().clone())
    }

    /// All that the table counted of `key`.
    pub(crate) async fn counted(&self, key: &KeyId) -> Usage {
        let usage = DynamoUsage::new(self.dynamo.client(), &self.names.counters, Patience::ADMIN);
        let hour = Hour::of(doorward::clock::wall());
        let hours = Hours::new(hour.plus(-2), hour.plus(2)).unwrap();
        let read = usage.usage(key, hours).await.unwrap();
        let sum = |sum: Usage, hour: &doorward_keys::UsageHour| sum.plus(hour.decisions);
        read.iter().fold(Usage::default(), sum)
    }

    /// A function with `more` behind [`CONFIG`], and these variables besides.
    pub(crate) async fn sandbox(&self, more: &str, variables: &[(&str, &str)]) -> Sandbox {
        self.sandbox_under(more, variables, true).await
    }

    /// The same where Lambda may know no extensions.
    pub(crate) async fn sandbox_under(
        &self,
        more: &str,
        variables: &[(&str, &str)],
        knows_extensions: bool,
    ) -> Sandbox {
        let lambda = RuntimeApi::start(TIMEOUT, knows_extensions).await.unwrap();
        let text = format!("{more}\n{CONFIG}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_authorizer-process"));
        // Nothing of the machine decides what a test sees.
        command.env_clear().envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "authorizer"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_RUNTIME_API", &lambda.address().to_string()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            (
                "AWS_ENDPOINT_URL_DYNAMODB",
                &format!("http://{}", self.line.address()),
            ),
            ("DOORWARD_KEYS_TABLE", &self.names.keys),
            ("DOORWARD_COUNTERS_TABLE", &self.names.counters),
            ("DOORWARD_CONFIG", &text),
        ]);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let heard = Arc::clone(&lines);
        let out = BufReader::new(child.stdout.take().unwrap());
        let listener = std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                heard.lock().unwrap().push(line);
            }
        });
        Sandbox {
            child,
            lambda,
            lines,
            listener: Some(listener),
        }
    }
}

/// A running function.
pub(crate) struct Sandbox {
    child: Child,
    lambda: RuntimeApi,
    lines: Arc<Mutex<Vec<Value>>>,
    listener: Option<JoinHandle<()>>,
}

impl Sandbox {
    pub(crate) const fn lambda(&self) -> &RuntimeApi {
        &self.lambda
    }

    /// One call with `key`, from the address that ends with `from`.
    pub(crate) async fn call(&self, key: &str, from: u8) -> Option<Answered> {
        self.lambda.invoke(event("/orders", key, from)).await
    }

    /// One call that is allowed.
    pub(crate) async fn allowed(&self, key: &str) {
        let answer = self.call(key, 7).await.unwrap().unwrap();
        assert!(is_allowed(&answer), "{answer}");
    }

    /// Waits until the function has done whatever it does after an answer.
    pub(crate) async fn until_idle(&self) {
        assert!(self.lambda.until_idle().await, "{:?}", self.lines());
    }

    /// The lines of its log so far.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }

    /// The lines of this kind.
    pub(crate) fn lines_of(&self, event: &str) -> Vec<Value> {
        let lines = self.lines().into_iter();
        lines.filter(|line| line["event"] == event).collect()
    }

    /// The lines of the decisions on all events that were sent. A line is written after its answer, and read a little later.
    pub(crate) async fn decisions(&self) -> Vec<Value> {
        for _ in 0..500 {
            let lines = self.lines_of("decision");
            if lines.len() as u64 >= self.lambda.sent() {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not a line for each event: {:?}", self.lines());
    }

    /// The first line of this kind. A line that was written is read a little later.
    pub(crate) async fn line_of(&self, event: &str) -> Value {
        for _ in 0..500 {
            if let Some(line) = self.lines_of(event).into_iter().next() {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no line `{event}` among {:?}", self.lines());
    }

    /// Tells it of its end, waits as long as Lambda does, and says with which code it ended.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(told.success());
        let code = self.ended_within(Duration::from_secs(10)).await;
        self.heard_out();
        code
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.heard_out();
    }

    async fn ended_within(&mut self, time: Duration) -> Option<i32> {
        let polls = time.as_millis() / 5;
        for _ in 0..polls {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the function did not end: {:?}", self.lines());
    }

    fn heard_out(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A REST event for `GET path` with `key`.
pub(crate) fn event(path: &str, key: &str, from: u8) -> Value {
    let address = format!("192.0.2.{from}");
    json!({
        "type": "REQUEST",
        "methodArn": format!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET{path}"),
        "path": path,
        "httpMethod": "GET",
        "headers": {"x-api-key": key},
        "requestContext": {
            "apiId": "a1b2c3", "stage": "prod", "httpMethod": "GET",
            "identity": {"sourceIp": address},
        },
    })
}

/// Whether a policy allows anything at all.
pub(crate) fn is_allowed(answer: &Value) -> bool {
    let statements = answer["policyDocument"]["Statement"].as_array();
    statements.is_some_and(|all| all.iter().any(|one| one["Effect"] == "Allow"))
}

/// Now, as the function sees it.
pub(crate) fn now() -> Timestamp {
    doorward::clock::wall()
}
