//! The store of limits goes away and comes back: each limit answers as it is configured to, the log says so, and only the first
//! pays for it. A real server, killed, then one that accepts and never answers, then the real one again.

use std::{
    io::Write,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward_authorizer::{Answer, Call, Event, Refusal, settings::Environment, wiring::Service};
use doorward_engine::limits::Moment;
use doorward_tests::servers::{Flavour, RedisServer};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};

/// What all limits of a request may take of its time, and what a busy machine adds.
const GENEROUS: Duration = Duration::from_millis(250 + 2_000);

const LIMITS: &str = r#"
[limits.rate]
limit = 100
per = "hour"
by = ["address"]

[limits.quota]
algorithm = "calendar"
limit = 100
per = "day"
by = ["address"]

[[routes]]
route = "GET /rate"
credentials = ["anonymous"]
limits = ["rate"]

[[routes]]
route = "GET /quota"
credentials = ["anonymous"]
limits = ["quota"]
"#;

struct Function {
    service: Service,
    lines: Arc<Mutex<Vec<Value>>>,
    file: PathBuf,
    begun: Instant,
    /// How many minutes passed besides, without anybody waiting.
    minutes: u64,
}

impl Function {
    async fn over(name: &str, store: SocketAddr) -> Self {
        let file =
            std::env::temp_dir().join(format!("doorward-{name}-{}.toml", std::process::id()));
        let text = format!(
            "limits_store = {{ kind = \"redis\", address = \"redis://{store}\" }}\n{LIMITS}"
        );
        std::fs::File::create(&file)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let environment: Environment = [("DOORWARD_CONFIG".to_owned(), file.display().to_string())]
            .into_iter()
            .collect();
        let sink = move |line: &str| {
            kept.lock()
                .unwrap()
                .push(serde_json::from_str(line).unwrap());
        };
        Self {
            service: Service::start(environment, Arc::new(sink)).await,
            lines,
            file,
            begun: Instant::now(),
            minutes: 0,
        }
    }

    fn now(&self) -> Moment {
        let passed = self.begun.elapsed() + Duration::from_secs(60 * self.minutes);
        let passed = u64::try_from(passed.as_micros()).unwrap();
        Moment::from_micros(1_800_000_000_000_000 + passed)
    }

    async fn ask(&self, path: &str) -> (Result<Answer, Refusal>, Value) {
        let event = json!({
            "type": "REQUEST", "path": path, "httpMethod": "GET",
            "methodArn": format!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET{path}"),
            "requestContext": {"apiId": "a1b2c3", "stage": "prod", "httpMethod": "GET", "identity": {"sourceIp": "192.0.2.1"}},
        });
        let call = Call {
            request_id: "req-1".to_owned(),
            trace_id: None,
            received_at: self.now(),
            time_left: Some(Duration::from_secs(5)),
        };
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        let answer = self.service.authorizer().handle(&event, &call).await;
        (answer, self.lines.lock().unwrap().pop().unwrap())
    }

    /// Both limits are counted in the store.
    async fn is_counted(&self) {
        for path in ["/rate", "/quota"] {
            let (answer, line) = self.ask(path).await;
            assert!(answer.is_ok(), "{line}");
            assert_eq!(line["limits"][0]["counted"], "store", "{line}");
            assert!(line["LimitStoreFaults"].is_null(), "{line}");
        }
    }

    /// The rate is counted here and the quota refuses, both with a word on why.
    async fn is_alone(&self) {
        let (answer, line) = self.ask("/rate").await;
        assert!(answer.is_ok(), "{line}");
        assert_eq!(line["decision"], "allow", "{line}");
        assert_eq!(line["limits"][0]["counted"], "local", "{line}");
        assert_eq!(line["LimitStoreFaults"], 1, "{line}");
        assert!(line["limits"][0]["fault"].is_string(), "{line}");
        let (answer, line) = self.ask("/quota").await;
        // An error, which the gateway does not keep.
        assert!(matches!(answer, Err(Refusal::Failed)), "{line}");
        assert_eq!(line["reason"], "limit_store_unavailable", "{line}");
        assert_eq!(line["LimitStoreFaults"], 1, "{line}");
        assert_eq!(line["level"], "ERROR", "{line}");
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // What is left lies in the folder for temporary files.
        let _ = std::fs::remove_file(&self.file);
    }
}

#[tokio::test]
async fn an_outage_of_the_store_of_limits_is_answered_as_configured_and_ends() {
    let Some(mut server) = RedisServer::start(Flavour::Redis, &[]).await else {
        return;
    };
    let mut function = Function::over("outage", server.address()).await;
    assert!(function.lines.lock().unwrap().is_empty());
    // It connected before anybody asked: our own connection to look, and that of the function.
    let clients = server.say(&[b"CLIENT", b"LIST"]).await;
    assert_eq!(clients.matches("addr=").count() / 2, 2, "{clients}");
    function.is_counted().await;

    server.kill();
    function.minutes += 1;
    function.is_alone().await;

    // One that takes calls and never answers: it costs the first request what is stated, and the next nothing.
    let dumb = TcpListener::bind(server.address()).await.unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&accepted);
    let accepting = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = dumb.accept().await {
            counting.fetch_add(1, Ordering::SeqCst);
            kept.push(stream);
        }
    });
    function.minutes += 1;
    let begun = Instant::now();
    function.is_alone().await;
    assert!(begun.elapsed() < GENEROUS, "{:?}", begun.elapsed());
    let before = accepted.load(Ordering::SeqCst);
    assert!(before > 0, "it was asked");
    // The store is left alone for a second, in which these come if the machine is not very slow.
    let mut within = 0;
    while begun.elapsed() < Duration::from_millis(900) && within < 20 {
        function.is_alone().await;
        within += 1;
    }
    assert_eq!(accepted.load(Ordering::SeqCst), before);
    accepting.abort();
    let _ended = accepting.await;

    server.restart(Flavour::Redis).await;
    function.minutes += 1;
    function.is_counted().await;
}

#[tokio::test]
async fn a_store_of_limits_that_is_away_at_the_start_is_said_and_had_later() {
    let Some(mut server) = RedisServer::start(Flavour::Redis, &[]).await else {
        return;
    };
    server.kill();
    let function = Function::over("late", server.address()).await;
    let said = function.lines.lock().unwrap().clone();
    assert_eq!(said[0]["event"], "limit_store_unavailable", "{said:?}");
    assert_eq!(said.len(), 1);
    server.restart(Flavour::Redis).await;
    function.is_counted().await;
}
