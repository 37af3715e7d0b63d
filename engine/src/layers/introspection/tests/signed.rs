//! Signed answers (RFC 9701), and what they say of the server.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

#[tokio::test]
async fn a_signed_answer_that_is_broken_speaks_against_the_server_and_keys_that_are_away_do_not() {
    let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({"alg": "ES256", "typ": "token-introspection+jwt", "kid": "k"});
    let unsigned = format!("{}.{}.c2ln", part(&head), part(&json!({})));
    let signed = "signed = true\nalgorithms = [\"ES256\"]\nbreaker = { failures = 2 }";
    for (answer, calls, reason) in [
        ("eyJ", 2, Reason::IntrospectionAnswer),
        // Its keys cannot be had.
        (unsigned.as_str(), 4, Reason::KeySetUnavailable),
    ] {
        let world = world(&format!("{ONE}{signed}{ROUTES}"));
        world.server.say("t", json!(answer));
        let mut last = None;
        for _ in 0..4 {
            last = Some(world.refused("t", STRICT, 0).await);
        }
        assert_eq!(world.server.calls(), calls, "{answer}");
        let wanted = if calls == 2 {
            Reason::IntrospectionUnavailable
        } else {
            reason
        };
        assert_eq!(last, Some(wanted), "{answer}");
    }
}
