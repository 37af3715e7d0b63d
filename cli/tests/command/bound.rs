//! Tokens that are bound to something, and what `doorward local` prints for them.

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::run::Folder;

const LOCAL: [&str; 6] = ["local", "--port", "0", "--ttl", "1", "--mtls"];

fn part(token: &str, index: usize) -> Value {
    let part = token.trim_end().split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The value after `option` in a line to paste.
fn option<'l>(line: &'l str, option: &str) -> &'l str {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| *word == option).unwrap();
    words[at + 1]
}

/// The thumbprint of the certificate in a PEM text, by its definition (RFC 8705 section 3.1).
fn thumbprint(pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    URL_SAFE_NO_PAD.encode(digest(&SHA256, &STANDARD.decode(body).unwrap()))
}

#[tokio::test]
async fn a_token_bound_to_the_demo_certificate_comes_with_a_line_that_works() {
    let folder = Folder::new();
    let (local, said) = folder.local(&LOCAL);
    let token = folder.run(&["token", "--certificate", "--scope", "orders:read"]);
    assert_eq!(token.code, 0, "{token:?}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let client = read(".doorward/mtls/client.pem");
    let cnf = json!({"x5t#S256": thumbprint(&client)});
    assert_eq!(part(&token.out, 1)["cnf"], cnf);
    // The same from a file that is named, and a `cnf` of one's own wins.
    let named = folder.run(&["token", "--certificate", ".doorward/mtls/client.pem"]);
    assert_eq!(part(&named.out, 1)["cnf"], cnf);
    let own = folder.run(&["token", "--certificate", "--claim", "cnf={\"jkt\":\"x\"}"]);
    assert_eq!(part(&own.out, 1)["cnf"], json!({"jkt": "x"}));

    let of_banner = said.iter().find(|line| line.contains("--cert ")).unwrap();
    let of_token = token
        .err
        .lines()
        .find(|line| line.starts_with("curl "))
        .unwrap();
    for line in [of_banner.as_str(), of_token] {
        let url = line.split(' ').next_back().unwrap();
        let base = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let identity = read(option(line, "--cert")) + &read(option(line, "--key"));
        let authority = read(option(line, "--cacert"));
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(authority.as_bytes()).unwrap()])
            .identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap())
            .build()
            .unwrap();
        let response = client.get(format!("{base}/health")).send().await.unwrap();
        assert_eq!(response.status(), 200, "{line}");
    }
    assert_eq!(local.end("-TERM"), 0);
}

#[tokio::test]
async fn a_token_bound_to_a_dpop_key_and_its_proof_name_the_same_key() {
    let folder = Folder::new();
    let (local, _) = folder.local(&LOCAL[..5]);
    let token = folder.run(&["token", "--dpop", "--scope", "orders:read"]);
    assert_eq!(token.code, 0, "{token:?}");
    let bearer = token.out.trim_end();
    assert!(
        !token.err.contains(bearer),
        "standard error must not hold it"
    );
    assert!(
        token.err.contains("token dpop-proof GET http://"),
        "{token:?}"
    );
    let url = "http://127.0.0.1:1/orders/42?q=1";
    let proof = folder.run(&[
        "token",
        "dpop-proof",
        "GET",
        url,
        "--token",
        bearer,
        "--nonce",
        "n1",
        "--issued",
        "-5m",
        "--jti",
        "j1",
    ]);
    assert_eq!((proof.code, proof.err.as_str()), (0, ""), "{proof:?}");
    let jwk = part(&proof.out, 0)["jwk"].clone();
    let text = format!(
        r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
        jwk["x"], jwk["y"]
    );
    let jkt = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
    assert_eq!(part(bearer, 1)["cnf"], json!({"jkt": jkt}));
    let claims = part(&proof.out, 1);
    let issued = part(bearer, 1)["iat"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((295..=300).contains(&issued), "{issued}");
    assert_eq!(
        (&claims["htu"], &claims["nonce"], &claims["jti"]),
        (
            &json!("http://127.0.0.1:1/orders/42"),
            &json!("n1"),
            &json!("j1")
        )
    );
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, bearer.as_bytes()));
    assert_eq!(claims["ath"], json!(hash));
    assert_eq!(local.end("-TERM"), 0);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_is_said() {
    let folder = Folder::new();
    let (local, _) = folder.local(&LOCAL[..5]);
    folder.write("no.pem", "hunter2");
    for (args, code, words) in [
        (
            &["token", "--certificate", "nowhere.pem"][..],
            2,
            "cannot be read",
        ),
        (
            &["token", "--certificate", "no.pem"],
            2,
            "holds no certificate",
        ),
        (&["token", "--certificate"], 3, "doorward local --mtls"),
        (
            &["token", "--dpop", "dpop-proof", "GET", "http://x"],
            2,
            "cannot be used with",
        ),
    ] {
        let ended = folder.run(args);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(
            ended.err.contains(words) && !ended.err.contains("hunter2"),
            "{ended:?}"
        );
        assert_eq!(ended.out, "");
    }
    assert_eq!(local.end("-TERM"), 0);
    for (more, words) in [
        (&["--default-endpoint", "closed"][..], "--mtls"),
        (
            &["--mtls", "--mtls-truststore", "nowhere.pem"],
            "cannot be read",
        ),
        (
            &["--mtls", "--mtls-truststore", "no.pem"],
            "no certificate in PEM",
        ),
        (&["--mtls", "--mtls-key", "no.pem"], "--mtls-certificate"),
        (
            &[
                "--mtls",
                "--mtls-key",
                "no.pem",
                "--mtls-certificate",
                "no.pem",
            ],
            "no.pem",
        ),
    ] {
        let ended = folder.run(&[&LOCAL[..5], more].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(words), "{ended:?}");
    }
}

#[tokio::test]
async fn explain_says_what_a_bound_token_was_shown_without() {
    let folder = Folder::new();
    let (local, _) = folder.local(&LOCAL);
    let token = |bound: &str| {
        let made = folder.run(&["token", bound, "--scope", "orders:read"]);
        assert_eq!(made.code, 0, "{made:?}");
        made.out.trim_end().to_owned()
    };
    let (to_key, to_certificate) = (token("--dpop"), token("--certificate"));
    let (issuer, audience) = (&part(&to_key, 1)["iss"], &part(&to_key, 1)["aud"]);
    let config = json!({
        "dpop": {},
        "policy": {"gateway_cache": "off"},
        "issuers": [{
            "name": "demo", "issuer": issuer, "danger_allow_http": true, "algorithms": ["RS256", "ES256"],
            "audiences": [audience],
        }],
        "routes": [{"route": "GET /orders/{id}", "credentials": ["jwt"], "scopes": ["orders:read"]}],
    });
    folder.write("bound.json", &config.to_string());
    let proof = |path: &str| {
        let url = format!("https://api.example{path}");
        let args = ["token", "dpop-proof", "GET", &url, "--token", &to_key];
        folder.run(&args).out.trim_end().to_owned()
    };
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let certificate = read(".doorward/mtls/client.pem");
    let explain = |authorization: String, proof: Option<String>, certificate: Option<&str>| {
        let mut event = json!({
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/orders/42",
            "path": "/orders/42", "httpMethod": "GET", "headers": {"authorization": authorization},
            "requestContext": {
                "stage": "prod", "domainName": "api.example", "path": "/prod/orders/42",
                "identity": {"sourceIp": "203.0.113.7"},
            },
        });
        if let Some(proof) = proof {
            event["headers"]["dpop"] = json!(proof);
        }
        if let Some(pem) = certificate {
            event["requestContext"]["identity"]["clientCert"] = json!({"clientCertPem": pem});
        }
        folder.run_with(
            &["explain", "-", "--config", "bound.json"],
            &event.to_string(),
        )
    };
    let good = proof("/prod/orders/42");
    let by_key = format!("DPoP {to_key}");
    let by_certificate = format!("Bearer {to_certificate}");
    for (ended, says) in [
        (
            explain(format!("Bearer {to_key}"), None, None),
            "proof_missing",
        ),
        (
            explain(by_key.clone(), None, None),
            "there is no `DPoP` header",
        ),
        (
            explain(by_key.clone(), Some(proof("/prod/orders")), None),
            "proof_target",
        ),
        (
            explain(by_certificate.clone(), None, None),
            "token_certificate",
        ),
    ] {
        assert_eq!(ended.code, 1, "{says}: {ended:?}");
        assert!(ended.out.contains(says), "{says}: {ended:?}");
        assert!(ended.out.contains("to mend:"), "{ended:?}");
        assert!(!ended.out.contains(&to_key) && !ended.out.contains(&to_certificate));
    }
    // What is only explained uses no proof up.
    for _ in 0..2 {
        let ended = explain(by_key.clone(), Some(good.clone()), None);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.out.contains("proof          passed"), "{ended:?}");
    }
    let shown = explain(by_certificate, None, Some(&certificate));
    assert_eq!(shown.code, 0, "{shown:?}");
    assert_eq!(local.end("-TERM"), 0);
}
