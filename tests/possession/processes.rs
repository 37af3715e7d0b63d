//! A proof in two processes that share nothing but the counters table: one of them lets it pass.

use std::{process::Stdio, sync::Arc};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoReplays, Patience, TableNames, connect};
use doorward_engine::layers::jwt::Algorithm;
use doorward_tests::{
    proofs::{proof, signed, thumbprint},
    tokens::SigningKey,
};
use serde_json::{Value, json};

use crate::gate::{Gate, Kind, NOW, get, token};

/// The variable that carries what a process is to ask.
const VARIABLE: &str = "DOORWARD_TEST_PROOF";

fn configuration() -> Value {
    json!({
        "dpop": {},
        "policy": {"gateway_cache": "off"},
        "routes": [{"route": "GET /token", "credentials": ["jwt"]}],
    })
}

/// A gate that remembers proofs in `table` behind `url`.
async fn gate(url: &str, table: &str) -> Gate {
    let client = connect(doorward::dynamodb::connection(url)).await;
    // A test machine is busy, and what is tested is not the patience.
    let store = DynamoReplays::new(&client, table, Patience::ADMIN);
    Gate::remembering(&configuration(), Arc::new(store))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_with_one_proof_one_lets_it_pass() {
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let url = dynamo.endpoint_url();
    // The issuer of a process is made in that process, so what is shared is the store and what it is asked to remember: the
    // digest of one key and one `jti`.
    let job = json!({"url": url, "table": names.counters, "digest": vec![7_u8; 32]}).to_string();
    let start = || {
        tokio::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "processes::a_process_with_a_proof",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(VARIABLE, &job)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
            .wait_with_output()
    };
    let (left, right) = tokio::join!(start(), start());
    let mut said: Vec<String> = [left, right]
        .into_iter()
        .map(|output| {
            let text = String::from_utf8(output.unwrap().stdout).unwrap();
            let found = text
                .lines()
                .find_map(|line| line.split("remembered: ").nth(1));
            found.unwrap_or("nothing").to_owned()
        })
        .collect();
    said.sort();
    assert_eq!(said, ["Before", "First"]);
}

/// One of the processes: this program again, told by a variable what to do.
#[tokio::test]
#[ignore = "run by the other"]
#[expect(
    clippy::disallowed_methods,
    reason = "suites are steered by the environment"
)]
async fn a_process_with_a_proof() {
    use doorward_engine::layers::proof::ReplayStore as _;
    use doorward_keys::Timestamp;
    let Ok(job) = std::env::var(VARIABLE) else {
        return;
    };
    let job: Value = serde_json::from_str(&job).unwrap();
    let text = |name: &str| job[name].as_str().unwrap().to_owned();
    let digest: Vec<u8> = serde_json::from_value(job["digest"].clone()).unwrap();
    let client = connect(doorward::dynamodb::connection(&text("url"))).await;
    let store = DynamoReplays::new(&client, text("table"), Patience::ADMIN);
    let now = Timestamp::from_unix(NOW);
    let digest = digest.try_into().unwrap();
    let seen = store.remember(&digest, now.plus(60), now).await.unwrap();
    println!("remembered: {seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_gates_over_one_table_one_lets_a_proof_pass() {
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let url = dynamo.endpoint_url();
    let (one, two) = (
        gate(&url, &names.counters).await,
        gate(&url, &names.counters).await,
    );
    let key = SigningKey::shared(Algorithm::Es256, "client");
    let bound = token(Some(json!({"jkt": thumbprint(&key)})));
    for kind in Kind::ALL {
        let proof = signed(
            proof("GET", "https://api.example.com/token", &bound, NOW),
            &key,
        );
        let asked = get(kind, "/token")
            .header("authorization", &format!("DPoP {bound}"))
            .header("dpop", &proof);
        let (left, right) = tokio::join!(one.outcome(&asked), two.outcome(&asked));
        let mut both = [left, right];
        both.sort();
        assert_eq!(both, ["allow", "proof_replayed"]);
    }
}

#[tokio::test]
async fn a_table_that_is_not_there_refuses_every_proof() {
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let gate = gate(&dynamo.endpoint_url(), "no-such-table").await;
    let key = SigningKey::shared(Algorithm::Es256, "client");
    let bound = token(Some(json!({"jkt": thumbprint(&key)})));
    let proof = signed(
        proof("GET", "https://api.example.com/token", &bound, NOW),
        &key,
    );
    let asked = get(Kind::Rest, "/token")
        .header("authorization", &format!("DPoP {bound}"))
        .header("dpop", &proof);
    assert_eq!(gate.outcome(&asked).await, "replay_store_unavailable");
    let detail = gate.line()["detail"].to_string();
    assert!(detail.contains("no-such-table"), "{detail}");
}
