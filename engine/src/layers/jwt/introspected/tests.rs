use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    config::Faults,
    layers::jwt::{RawAnswer, test_support::Shelf},
    test_support::NOW,
};

const KEYS: &str = "https://one.example/keys";

struct World {
    pair: EcdsaKeyPair,
    answers: SignedAnswers,
}

fn world() -> World {
    let raw = RawAnswer {
        issuer: Some("https://one.example".to_owned()),
        audiences: Some(vec!["api".to_owned()]),
        signed: true,
        algorithms: Some(vec!["ES256".to_owned()]),
        jwks_uri: Some(KEYS.to_owned()),
        without_expiry: 10,
        ..RawAnswer::default()
    };
    let mut faults = Faults::default();
    let config = raw.check("t", &|_| Err("no files".to_owned()), &mut faults);
    let config = Arc::new(config.unwrap_or_else(|| panic!("{faults:?}")));
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "kid": "k", "x": coordinate(1..33), "y": coordinate(33..65),
    });
    let shelf = Shelf::default();
    shelf.put(KEYS, &json!({"keys": [jwk]}).to_string());
    World {
        pair,
        answers: SignedAnswers::new(
            config,
            Arc::new(shelf),
            |_| Box::pin(std::future::pending()),
        ),
    }
}

impl World {
    fn sign(&self, header: &Json, claims: &Json) -> String {
        let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap()))
    }

    async fn open(&self, answer: &str) -> Result<Vec<u8>, Denial> {
        self.answers.open(answer.as_bytes(), "gate", NOW).await
    }
}

fn header() -> Json {
    json!({"alg": "ES256", "kid": "k", "typ": "token-introspection+jwt"})
}

fn claims() -> Json {
    json!({
        "iss": "https://one.example", "aud": "gate", "iat": NOW.unix(),
        "token_introspection": {"active": true, "aud": "api", "sub": "ann", "exp": NOW.unix() + 60},
    })
}

fn with(mut object: Json, more: &Json) -> Json {
    let more = more.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(more);
    object
}

#[tokio::test]
async fn opens_an_answer_that_the_server_signed_for_this_client() {
    let world = world();
    let payload = world.open(&world.sign(&header(), &claims())).await.unwrap();
    match told(&world.answers.config, &payload, true, NOW).unwrap() {
        Told::Active(Ok(accepted)) => assert_eq!(accepted.subject.subject, "ann"),
        Told::Active(Err(denial)) => panic!("{denial:?}"),
        Told::Inactive => panic!("inactive"),
    }
    let listed = with(claims(), &json!({"aud": ["x", "gate"]}));
    assert!(world.open(&world.sign(&header(), &listed)).await.is_ok());
}

#[tokio::test]
async fn refuses_answers_for_others_of_others_and_of_another_time_or_kind() {
    let world = world();
    let now = NOW.unix();
    for (of_header, of_claims) in [
        (json!({"typ": "JWT"}), json!({})),
        (json!({"typ": "at+jwt"}), json!({})),
        (json!({"typ": null}), json!({})),
        (json!({"alg": "none"}), json!({})),
        (json!({"alg": "RS256"}), json!({})),
        (json!({"kid": "other"}), json!({})),
        (json!({"crit": ["exp"]}), json!({})),
        (json!({}), json!({"iss": "https://two.example"})),
        (json!({}), json!({"iss": null})),
        (json!({}), json!({"aud": "another"})),
        (json!({}), json!({"aud": []})),
        (json!({}), json!({"iat": null})),
        (json!({}), json!({"iat": now + 61})),
        (json!({}), json!({"iat": now - 121})),
    ] {
        let answer = world.sign(&with(header(), &of_header), &with(claims(), &of_claims));
        let denial = world.open(&answer).await.unwrap_err();
        let expected = Reason::IntrospectionAnswer;
        assert_eq!(denial.reason(), expected, "{of_header} {of_claims}");
    }
}

#[tokio::test]
async fn refuses_answers_that_were_changed_or_are_not_signed() {
    let world = world();
    let good = world.sign(&header(), &claims());
    let (_, signature) = good.rsplit_once('.').unwrap();
    let other = world.sign(&header(), &with(claims(), &json!({"iat": NOW.unix() - 1})));
    let (input, _) = other.rsplit_once('.').unwrap();
    for answer in [
        format!("{input}.{signature}"),
        format!("{input}."),
        claims()["token_introspection"].to_string(),
        String::new(),
    ] {
        let denial = world.open(&answer).await.unwrap_err();
        assert_eq!(denial.reason(), Reason::IntrospectionAnswer, "{answer}");
    }
}

#[test]
fn reads_only_the_object_inside_of_a_signed_answer() {
    let world = world();
    let active = json!({"active": true, "aud": "api", "sub": "ann"});
    let outside = with(
        active.clone(),
        &json!({"token_introspection": {"active": false}}),
    );
    let read = |answer: &Json, is_signed| {
        told(
            &world.answers.config,
            answer.to_string().as_bytes(),
            is_signed,
            NOW,
        )
    };
    assert!(matches!(read(&outside, true), Ok(Told::Inactive)));
    assert!(read(&active, true).is_err());
    assert!(read(&json!({"token_introspection": "x"}), true).is_err());
    assert!(matches!(read(&active, false), Ok(Told::Active(Ok(_)))));
}
