//! Usage plans: the penalty key, and what a REST API counts by itself.

use std::time::Duration;

use reqwest::Response;

use crate::run::{Folder, Local};

const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["test"]

[limits.pair]
limit = 2
window_seconds = 6

[[routes]]
route = "GET /limited"
credentials = ["api_key"]
limits = ["pair"]

[[routes]]
route = "GET /free"
credentials = ["api_key"]

[[routes]]
route = "GET /health"
credentials = ["anonymous"]
"#;

const PENALTY: &str = r#"
[answers]
rate_limited = "penalty_key"
penalty_key = "env:DOORWARD_SECRET_PENALTY_KEY"
usage_plan_key = "env:DOORWARD_SECRET_PLAN_KEY"
"#;

const VARIABLES: [(&str, &str); 2] = [
    ("DOORWARD_SECRET_PENALTY_KEY", "penalty-hunter2-penalty"),
    ("DOORWARD_SECRET_PLAN_KEY", "everybody-hunter2-everybody"),
];

/// The gateway with a key; what it said at its start.
struct Running {
    local: Local,
    base: String,
    key: String,
    said: String,
}

fn start(folder: &Folder, config: &str, more: &[&str]) -> Running {
    folder.write("doorward.toml", config);
    let args = [&["local", "--port", "0"], more].concat();
    let (local, said) = folder.local_with(&args, &VARIABLES);
    let said = said.join("\n");
    let word = |after: &str, until: char| {
        let (_, rest) = said.split_once(after).unwrap();
        rest.split(until).next().unwrap().to_owned()
    };
    let (base, key) = (
        word("curl -i -H ", '\n'),
        word("Authorization: Bearer ", '\''),
    );
    let base = base
        .split(' ')
        .next_back()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    Running {
        local,
        base,
        key,
        said,
    }
}

impl Running {
    async fn get(&self, path: &str) -> Response {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}{path}", self.base));
        let request = request.header("authorization", format!("Bearer {}", self.key));
        request.send().await.unwrap()
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }
}

fn retry_after(response: &Response) -> u64 {
    let value = &response.headers()["retry-after"];
    value.to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_penalty_key_makes_the_gateway_refuse_until_there_is_room() {
    let folder = Folder::new();
    let config = format!("{CONFIG}{PENALTY}");
    let mut running = start(&folder, &config, &["--ttl", "0"]);
    assert_eq!(running.status("/limited").await, 200);
    assert_eq!(running.status("/limited").await, 200);
    let refused = running.get("/limited").await;
    assert_eq!(refused.status().as_u16(), 429);
    let headers = refused.headers();
    assert_eq!(headers["x-amzn-errortype"], "TooManyRequestsException");
    assert_eq!(headers["x-ratelimit-limit"], "2");
    assert_eq!(headers["ratelimit-policy"], "\"pair\";q=2;w=6");
    let seconds = retry_after(&refused);
    assert!((1..=4).contains(&seconds), "{seconds}");
    assert!(refused.text().await.unwrap().contains("Too Many Requests"));
    assert_eq!(running.status("/free").await, 200);
    assert_eq!(running.status("/health").await, 200);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    assert_eq!(running.status("/limited").await, 200);
    let lines: Vec<String> = (0..6).map(|_| running.local.line()).collect();
    assert!(
        lines[2].contains("throttled by the usage plan: rate_limited"),
        "{lines:?}"
    );
    let all = format!("{}{}", running.said, lines.join("\n"));
    assert!(!all.contains("hunter2"), "{all}");
}

#[tokio::test]
async fn a_penalty_that_the_gateway_keeps_outlives_retry_after_and_is_warned_of() {
    let folder = Folder::new();
    let config = format!("{CONFIG}{PENALTY}")
        .replace("limit = 2", "limit = 1\nburst = 1")
        .replace("window_seconds = 6", "window_seconds = 1");
    let running = start(&folder, &config, &["--ttl", "3"]);
    // Under another spelling of the header the caller is another one to the cache, and the same to the limit.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/limited", running.base);
    let other = client
        .get(url)
        .header("authorization", format!("ApiKey {}", running.key));
    assert_eq!(other.send().await.unwrap().status().as_u16(), 200);
    let refused = running.get("/limited").await;
    assert_eq!(
        (refused.status().as_u16(), retry_after(&refused).min(2)),
        (429, retry_after(&refused))
    );
    tokio::time::sleep(Duration::from_secs(retry_after(&refused))).await;
    assert_eq!(running.status("/limited").await, 429);
    let warned = running.local.errors();
    assert!(warned.contains("`--ttl 0` ends it on time"), "{warned}");
}

#[tokio::test]
async fn usage_plans_count_under_the_key_that_the_authorizer_names() {
    let folder = Folder::new();
    folder.write(
        "plans.toml",
        "[[usage_plans]]\nname = \"three\"\nkeys = [\"everybody-hunter2-everybody\"]\nquota = { limit = 3, period = \"month\" }\n",
    );
    let answers = "[answers]\nusage_plan_key = \"env:DOORWARD_SECRET_PLAN_KEY\"\n";
    let config = format!("{CONFIG}{answers}");
    let running = start(
        &folder,
        &config,
        &["--usage-plans", "plans.toml", "--ttl", "60"],
    );
    for _ in 0..3 {
        assert_eq!(running.status("/free").await, 200);
    }
    let refused = running.get("/free").await;
    assert_eq!(refused.status().as_u16(), 429);
    assert_eq!(
        refused.headers()["x-amzn-errortype"],
        "LimitExceededException"
    );
    assert_eq!(refused.headers().get("retry-after"), None);
    assert_eq!(running.status("/health").await, 200);
}

#[tokio::test]
async fn a_key_and_a_plan_have_usage_plans_of_their_own_that_count_cached_calls_too() {
    let folder = Folder::new();
    folder.write(
        "plans.toml",
        "[[usage_plans]]\nname = \"own\"\nkeys = [\"the-own-key-of-one-partner\"]\nquota = { limit = 2, period = \"month\" }\n\
         [[usage_plans]]\nname = \"gold\"\nkeys = [\"everybody-hunter2-everybody\"]\nquota = { limit = 3, period = \"month\" }\n",
    );
    let config =
        format!("{CONFIG}[plans.gold]\nusage_plan_key = \"env:DOORWARD_SECRET_PLAN_KEY\"\n");
    let mut running = start(
        &folder,
        &config,
        &["--usage-plans", "plans.toml", "--ttl", "60"],
    );
    for (more, passes) in [
        (&["--usage-plan-key", "the-own-key-of-one-partner"][..], 2),
        (&["--plan", "gold"], 3),
        // What a key names itself goes before what its plan names.
        (
            &[
                "--plan",
                "gold",
                "--usage-plan-key",
                "the-own-key-of-one-partner",
            ],
            0,
        ),
    ] {
        let args = [&["keys", "create", "--tenant", "acme", "--name", "n"], more].concat();
        let made = folder.run_on_aws(&VARIABLES, &args);
        assert_eq!(made.code, 0, "{made:?}");
        made.out.trim().clone_into(&mut running.key);
        let mut passed = 0;
        while running.status("/free").await == 200 {
            passed += 1;
            assert!(passed <= passes, "{more:?}");
        }
        assert_eq!(passed, passes, "{more:?}");
        let refused = running.get("/free").await;
        let kind = &refused.headers()["x-amzn-errortype"];
        assert_eq!(
            (refused.status().as_u16(), kind.as_bytes()),
            (429, &b"LimitExceededException"[..])
        );
    }
}

#[tokio::test]
async fn who_has_no_key_of_a_usage_plan_is_403_where_plans_are() {
    let folder = Folder::new();
    folder.write(
        "plans.toml",
        "[[usage_plans]]\nname = \"other\"\nkeys = [\"a-key-that-nobody-is-given\"]\n",
    );
    let running = start(&folder, CONFIG, &["--usage-plans", "plans.toml"]);
    assert_eq!(running.status("/free").await, 403);
    assert_eq!(running.status("/health").await, 200);
}

#[test]
fn usage_plans_that_the_gateway_would_not_take_are_refused() {
    let folder = Folder::new();
    folder.write("doorward.toml", CONFIG);
    folder.write(
        "plans.toml",
        "[[usage_plans]]\nname = \"x\"\nkeys = [\"hunter2\"]\n",
    );
    let ended = folder.run(&["local", "--port", "0", "--usage-plans", "plans.toml"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.err.contains("20 to 128") && !ended.err.contains("hunter2"),
        "{ended:?}"
    );
    folder.write(
        "plans.toml",
        "[[usage_plans]]\nname = \"x\"\nkeys = [\"a-key-that-nobody-is-given\"]\n",
    );
    let ended = folder.run(&[
        "local",
        "--port",
        "0",
        "--api",
        "http",
        "--usage-plans",
        "plans.toml",
    ]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.err.contains("an HTTP API has no usage plans"),
        "{ended:?}"
    );
}
