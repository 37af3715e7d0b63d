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
