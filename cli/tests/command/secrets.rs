//! Secrets and configurations that AWS keeps.

use std::sync::{Arc, Mutex};

use axum::Router;

use crate::run::Folder;

/// Stands for SSM Parameter Store: answers one text, whatever is asked for.
struct Parameter {
    url: String,
    text: Arc<Mutex<String>>,
}

impl Parameter {
    async fn of(text: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let text = Arc::new(Mutex::new(text.to_owned()));
        let held = Arc::clone(&text);
        let router = Router::new().fallback(move || {
            let value = held.lock().unwrap().clone();
            async move { serde_json::json!({"Parameter": {"Value": value}}).to_string() }
        });
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, text }
    }

    fn variables(&self) -> [(&str, &str); 4] {
        [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "for this machine only"),
            ("AWS_ENDPOINT_URL_SSM", &self.url),
        ]
    }
}

const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["live"]
pepper = "ssm:/doorward/pepper"

[[routes]]
route = "GET /orders"
credentials = ["api_key"]
"#;

const CREATE: [&str; 6] = ["keys", "create", "--tenant", "acme", "--name", "ci"];

#[tokio::test(flavor = "multi_thread")]
async fn keys_made_with_a_pepper_from_afar_are_accepted_and_with_another_are_not() {
    let folder = Folder::new();
    folder.write("doorward.toml", CONFIG);
    let pepper = Parameter::of("the first pepper, of more than thirty-two bytes").await;
    let (local, said) = folder.local_on_aws(&pepper.variables(), &["local", "--port", "0"]);
    let base = said[0].split(' ').next().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let create = || folder.run_on_aws(&pepper.variables(), &CREATE);
    let first = create();
    "the second pepper, of more than thirty-two bytes".clone_into(&mut pepper.text.lock().unwrap());
    let second = create();
    for (made, status) in [(&first, 200), (&second, 401)] {
        assert_eq!(made.code, 0, "{made:?}");
        let request = client.get(format!("{base}/orders"));
        let answer = request.bearer_auth(made.out.trim_end()).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{made:?}");
    }
    drop(local);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_from_afar_is_checked_and_used() {
    let folder = Folder::new();
    let config = CONFIG.replace("pepper = \"ssm:/doorward/pepper\"\n", "");
    let parameter = Parameter::of(&config).await;
    let source = ["--config", "ssm:/doorward/config"];
    let checked = folder.run_on_aws(&parameter.variables(), &["check", source[1]]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.err.contains("no fault: 1 route"), "{checked:?}");

    let args = [&["local", "--port", "0"], &source[..]].concat();
    let (local, _) = folder.local_on_aws(&parameter.variables(), &args);
    // The other commands find it by themselves.
    let made = folder.run_on_aws(&parameter.variables(), &CREATE);
    assert!(made.out.starts_with("ck_live_"), "{made:?}");
    drop(local);

    "[api_keys]\nprefix = 7\n".clone_into(&mut parameter.text.lock().unwrap());
    let checked = folder.run_on_aws(&parameter.variables(), &["check", source[1]]);
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(
        checked.out.contains("ssm:/doorward/config:2:"),
        "{checked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_is_said_and_no_secret_is() {
    let folder = Folder::new();
    folder.write("doorward.toml", CONFIG);
    folder.write("event.json", "{}");
    let short = Parameter::of("hunter2").await;
    let unreachable = Parameter {
        url: "http://127.0.0.1:1".to_owned(),
        text: Arc::default(),
    };
    for (variables, code, says) in [
        (
            &[][..],
            3,
            "`ssm:/doorward/pepper`: no region and no credentials of AWS are set here",
        ),
        (
            &[("AWS_REGION", "eu-west-1")],
            3,
            "no credentials of AWS can be had",
        ),
        (&unreachable.variables(), 3, "Connection refused"),
        (
            &short.variables(),
            2,
            "the secret must be at least 32 bytes long",
        ),
    ] {
        for args in [
            &CREATE[..],
            &["explain", "event.json"],
            &["local", "--port", "0"],
        ] {
            let ended = folder.run_on_aws(variables, args);
            assert_eq!(
                (ended.code, ended.out.as_str()),
                (code, ""),
                "{args:?} {ended:?}"
            );
            assert!(ended.err.contains(says), "{args:?} {ended:?}");
            assert!(
                ended.err.contains("doorward.toml:5:10"),
                "{args:?} {ended:?}"
            );
            assert!(!ended.err.contains("hunter2"), "{args:?} {ended:?}");
        }
    }
    // Whoever reaches the table can end a key at once, pepper or not.
    let pepper = Parameter::of("a pepper of more than thirty-two bytes").await;
    let (local, _) = folder.local_on_aws(&pepper.variables(), &["local", "--port", "0"]);
    let made = folder.run_on_aws(&pepper.variables(), &[&CREATE[..], &["--json"]].concat());
    let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    let id = made["key"]["id"].as_str().unwrap();
    let revoked = folder.run_on_aws(&[], &["keys", "revoke", id]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let rotated = folder.run_on_aws(&[], &["keys", "rotate", id]);
    assert_eq!(rotated.code, 3, "{rotated:?}");
    drop(local);

    let from_afar = folder.run_on_aws(&unreachable.variables(), &["check", "ssm:/config"]);
    assert_eq!(from_afar.code, 3, "{from_afar:?}");
    let inline = folder.run(&["check", "{\"routes\": []}"]);
    assert_eq!(inline.code, 2, "{inline:?}");
}
