//! Tokens whose signature is good and whose form is not: two readers could see two things in them.

use doorward_engine::{Reason, layers::jwt::Algorithm};
use doorward_tests::tokens::compact;
use serde_json::json;

use crate::{
    ISSUER, access,
    attacks::{ALGORITHMS, gate, key},
};

#[tokio::test]
async fn refuses_repeated_members() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let header = r#"{"alg":"ES256","kid":"ES256","typ":"at+jwt"}"#;
    let payload = access().payload();
    gate.accepts(&compact(header, &payload, &key)).await;
    for repeated in [
        payload.replacen('{', r#"{"iss":"https://evil.example","#, 1),
        payload.replacen('{', &format!(r#"{{"iss":"{ISSUER}","#), 1),
        payload.replacen('{', r#"{"s\u0075b":"admin","#, 1),
        payload.replacen('{', r#"{"x":{"y":[{"z":1,"z":2}]},"#, 1),
    ] {
        gate.refuses(&compact(header, repeated, &key), Reason::TokenMalformed)
            .await;
    }
    for repeated in [
        r#"{"alg":"none","alg":"ES256","kid":"ES256","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":"x","kid":"ES256","typ":"at+jwt"}"#,
    ] {
        gate.refuses(&compact(repeated, &payload, &key), Reason::TokenMalformed)
            .await;
    }
}

#[tokio::test]
async fn refuses_json_that_is_not_one_object() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let header = r#"{"alg":"ES256","kid":"ES256","typ":"at+jwt"}"#;
    let payload = access().payload();
    for odd in [
        format!("{payload} "),
        format!(" {payload}"),
        format!("{payload}{payload}"),
        format!("{payload}\0"),
        format!("\u{feff}{payload}"),
        format!("[{payload}]"),
        payload.replacen('}', ",}", 1),
        payload.replacen("\"api\"", "'api'", 1),
        payload.replacen("\"api\"", "\"\\ud800\"", 1),
        "null".to_owned(),
        String::new(),
    ] {
        gate.refuses(&compact(header, odd, &key), Reason::TokenMalformed)
            .await;
    }
    let mut not_utf8 = payload.clone().into_bytes();
    let place = payload.find("user-1").unwrap();
    not_utf8[place] = 0xff;
    gate.refuses(&compact(header, not_utf8, &key), Reason::TokenMalformed)
        .await;
}

#[tokio::test]
async fn refuses_depth_that_would_exhaust_a_reader() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let header = r#"{"alg":"ES256","kid":"ES256","typ":"at+jwt"}"#;
    let with_nested = |open: &str, close: &str, levels: usize| {
        let nested = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        access()
            .payload()
            .replacen('{', &format!("{{\"x\":{nested},"), 1)
    };
    gate.accepts(&compact(header, with_nested("[", "]", 31), &key))
        .await;
    for (open, close, levels) in [("[", "]", 32), ("[", "]", 2000), ("{\"a\":", "}", 600)] {
        let token = compact(header, with_nested(open, close, levels), &key);
        gate.refuses(&token, Reason::TokenMalformed).await;
    }
}

#[tokio::test]
async fn refuses_a_second_spelling_of_a_good_token() {
    let gate = gate().await;
    for algorithm in ALGORITHMS {
        let good = access().signed_by(&key(algorithm));
        gate.accepts(&good).await;
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            panic!("{good}")
        };
        let mut spellings = vec![
            format!("{good}="),
            format!("{good}=="),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{good}."),
            format!(".{good}"),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}..{signature}"),
            format!("Bearer {good}"),
            format!("\"{good}\""),
        ];
        if good.contains(['-', '_']) {
            spellings.push(good.replace('-', "+").replace('_', "/"));
        }
        for spelling in spellings {
            gate.refuses(&spelling, Reason::TokenMalformed).await;
        }
        // Bits that decoding would throw away.
        for part in 0..3 {
            let mut changed = parts
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>();
            if changed[part].len().is_multiple_of(4) {
                continue;
            }
            let last = changed[part].pop().unwrap();
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let place = alphabet
                .iter()
                .position(|b| char::from(*b) == last)
                .unwrap();
            changed[part].push(char::from(alphabet[place ^ 1]));
            gate.refuses(&changed.join("."), Reason::TokenMalformed)
                .await;
        }
    }
}

#[tokio::test]
async fn refuses_any_number_of_parts_but_three() {
    let gate = gate().await;
    let good = access().signed_by(&key(Algorithm::Es256));
    let parts: Vec<&str> = good.split('.').collect();
    for count in [0, 1, 2, 4, 5, 6, 2000] {
        let token = vec![parts[0]; count].join(".");
        let reason = if token.len() > 8192 {
            Reason::TokenTooLong
        } else {
            Reason::TokenMalformed
        };
        gate.refuses(&token, reason).await;
    }
    // An encrypted token (RFC 7516).
    let encrypted = format!(
        "{}.{}.{}.{}.{}",
        parts[0], parts[1], parts[1], parts[1], parts[2]
    );
    let detail = gate.refuses(&encrypted, Reason::TokenMalformed).await;
    assert!(detail.contains("encrypted"), "{detail}");
}

#[tokio::test]
async fn refuses_nested_tokens() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let inner = access().signed_by(&key);
    let header = r#"{"alg":"ES256","kid":"ES256","typ":"at+jwt","cty":"JWT"}"#;
    gate.refuses(&compact(header, &inner, &key), Reason::TokenMalformed)
        .await;
    let without_cty = r#"{"alg":"ES256","kid":"ES256","typ":"at+jwt"}"#;
    gate.refuses(&compact(without_cty, &inner, &key), Reason::TokenMalformed)
        .await;
}

#[tokio::test]
async fn refuses_huge_tokens_unread() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let huge = access().claim("x", json!("x".repeat(7000))).signed_by(&key);
    gate.refuses(&huge, Reason::TokenTooLong).await;
    gate.refuses(&"=".repeat(10_000_000), Reason::TokenTooLong)
        .await;
    gate.refuses(&".".repeat(8192), Reason::TokenMalformed)
        .await;
}
