use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_keys::Secret;
use serde_json::{Value as Json, json};

mod choice;
mod signed;

use super::*;
use crate::{
    authority::{Call, TokenEndpoints},
    config::{Config, ConfigEnv},
    layers::jwt::{Fetched, Origin},
    test_support::{NOW, still},
};

/// A status and a body, or no answer. A body of text that begins with `ey` is sent as a signed answer.
type Said = Result<(u16, Json), ()>;

/// Says what it is told to say of each token, and notes who was asked about what.
#[derive(Default)]
struct Server {
    answers: Mutex<HashMap<String, Said>>,
    asked: Mutex<Vec<String>>,
    calls: AtomicUsize,
    gate: async_lock::Mutex<()>,
}

impl Server {
    fn say(&self, token: &str, answer: Json) {
        self.put(token, Ok((200, answer)));
    }

    fn put(&self, token: &str, answer: Said) {
        self.answers
            .lock()
            .unwrap()
            .insert(token.to_owned(), answer);
    }

    fn activate(&self, token: &str, more: &Json) {
        let mut answer =
            json!({"active": true, "aud": "api", "sub": "ann", "exp": NOW.unix() + 3600});
        answer
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.say(token, answer);
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TokenEndpoints for Server {
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let (name, token) = call.form[0];
        assert_eq!(name, "token");
        let line = format!("{} {token}", call.endpoint.client.id);
        self.asked.lock().unwrap().push(line);
        let _open = self.gate.lock().await;
        let known = self.answers.lock().unwrap().get(token).cloned();
        let failed = || CallError::Failed(call.endpoint.url.clone(), "refused".to_owned());
        let (status, body) = known
            .unwrap_or(Ok((200, json!({"active": false}))))
            .map_err(|()| failed())?;
        Ok(Answered {
            status,
            media_type: match &body {
                Json::String(text) if text.starts_with("ey") => SIGNED.to_owned(),
                _ => JSON.to_owned(),
            },
            body: match body {
                Json::String(text) => text.into_bytes(),
                other => other.to_string().into_bytes(),
            },
        })
    }
}

struct NoKeys;

#[async_trait]
impl KeySetSource for NoKeys {
    async fn fetch(&self, url: &str, _: Origin) -> Result<Fetched, FetchError> {
        Err(FetchError::Failed(url.to_owned(), "none".to_owned()))
    }
}

struct World {
    config: Config,
    introspection: Introspection,
    server: Arc<Server>,
}

const ONE: &str = r#"
    [[introspection]]
    name = "one"
    issuer = "https://one.example"
    endpoint = "https://one.example/introspect"
    audiences = ["api"]
    client = { id = "one", secret = "env:S" }
"#;
const ROUTES: &str = r#"
    [[routes]]
    route = "GET /strict"
    credentials = ["opaque"]
    [[routes]]
    route = "GET /lenient"
    credentials = ["opaque"]
    on_outage = "recently_active"
"#;

fn world(text: &str) -> World {
    let env = ConfigEnv {
        read_file: &|_| Err("no files".to_owned()),
        secret: &|_| Ok(Secret::new("secret".to_owned())),
    };
    let config = match Config::read(text, "t", &env) {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{faults}"),
    };
    let server = Arc::new(Server::default());
    let authorities = Authorities {
        endpoints: Arc::clone(&server) as _,
        ..Authorities::none()
    };
    let keys: Arc<dyn KeySetSource> = Arc::new(NoKeys);
    let introspection = Introspection::new(
        &config.introspection,
        &config.tokens,
        &authorities,
        &keys,
        still(),
    );
    World {
        config,
        introspection,
        server,
    }
}

impl World {
    async fn ask(&self, token: &str, route: &str, later: i64) -> Result<Subject, Denial> {
        self.ask_hinting(token, None, route, later).await
    }

    async fn ask_hinting(
        &self,
        token: &str,
        hint: Option<&str>,
        route: &str,
        later: i64,
    ) -> Result<Subject, Denial> {
        let mut routes = self.config.routes.routes().iter();
        let asked = Asked {
            route: routes.find(|held| held.key == route).unwrap(),
            hint,
            now: NOW.plus(later).into(),
            within: None,
        };
        self.introspection.verify(token, asked).await
    }

    async fn refused(&self, token: &str, route: &str, later: i64) -> Reason {
        self.ask(token, route, later).await.unwrap_err().reason()
    }
}

const STRICT: &str = "GET /strict";
const LENIENT: &str = "GET /lenient";

#[tokio::test]
async fn an_active_token_is_accepted_and_remembered() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate(
        "t",
        &json!({"scope": "a b", "client_id": "app", "iss": "https://one.example"}),
    );
    for later in [0, 29] {
        let subject = world.ask("t", STRICT, later).await.unwrap();
        assert_eq!(subject.principal(), "user|https://one.example|ann");
        assert_eq!(subject.kind(), crate::routes::Kind::Opaque);
        assert_eq!(subject.scopes, ["a", "b"].into_iter().collect());
        assert_eq!(subject.valid_until, NOW.plus(3660));
    }
    assert_eq!(world.server.calls(), 1);
    world.ask("t", STRICT, 30).await.unwrap();
    assert_eq!(world.server.calls(), 2);
}

#[tokio::test]
async fn a_token_is_asked_about_again_at_its_expiry_whatever_the_cache_says() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate("t", &json!({"exp": NOW.unix() + 5}));
    world.ask("t", STRICT, 4).await.unwrap();
    world.server.say("t", json!({"active": false}));
    world.ask("t", STRICT, 4).await.unwrap();
    assert_eq!(world.refused("t", STRICT, 5).await, Reason::TokenInactive);
}

#[tokio::test]
async fn an_answer_without_expiry_is_good_for_a_short_time() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world
        .server
        .say("t", json!({"active": true, "aud": "api", "sub": "ann"}));
    let subject = world.ask("t", STRICT, 0).await.unwrap();
    assert_eq!(
        (subject.valid_until, subject.expires_at),
        (NOW.plus(10), NOW.plus(10))
    );
    world.ask("t", STRICT, 9).await.unwrap();
    assert_eq!(world.server.calls(), 1);
    world.ask("t", STRICT, 10).await.unwrap();
    assert_eq!(world.server.calls(), 2);
}

#[tokio::test]
async fn an_inactive_token_is_refused_and_remembered_for_less() {
    let world = world(&format!("{ONE}{ROUTES}"));
    assert_eq!(world.refused("t", STRICT, 0).await, Reason::TokenInactive);
    assert_eq!(world.refused("t", STRICT, 9).await, Reason::TokenInactive);
    assert_eq!(world.server.calls(), 1);
    world.server.activate("t", &json!({}));
    world.ask("t", STRICT, 10).await.unwrap();
}

#[tokio::test]
async fn an_active_token_is_held_to_the_rules_of_a_jwt() {
    let now = NOW.unix();
    for (more, reason) in [
        (json!({"exp": now - 60}), Reason::TokenExpired),
        (json!({"exp": "soon"}), Reason::TokenClaim),
        (json!({"nbf": now + 61}), Reason::TokenNotYetValid),
        (json!({"iat": now + 61}), Reason::TokenNotYetValid),
        (json!({"aud": "shop"}), Reason::TokenAudience),
        (json!({"aud": ["shop", 1]}), Reason::TokenClaim),
        (json!({"iss": "https://two.example"}), Reason::TokenIssuer),
        (json!({"iss": 1}), Reason::TokenClaim),
        (json!({"cnf": {"jkt": "x"}}), Reason::TokenBound),
        (json!({"token_type": "DPoP"}), Reason::TokenBound),
        (
            json!({"token_type": "dpop", "cnf": null}),
            Reason::TokenBound,
        ),
        (
            json!({"token_type": "DPoP", "cnf": {"x5t#S256": "A".repeat(43)}}),
            Reason::TokenBound,
        ),
        (json!({"token_type": "refresh_token"}), Reason::TokenType),
        (json!({"token_type": 1}), Reason::TokenClaim),
        (json!({"token_use": "refresh_token"}), Reason::TokenType),
        (json!({"scope": ["a"]}), Reason::TokenClaim),
        (json!({"sub": ""}), Reason::TokenClaim),
    ] {
        let world = world(&format!("{ONE}{ROUTES}"));
        world.server.activate("t", &more);
        assert_eq!(world.refused("t", STRICT, 0).await, reason, "{more}");
        assert_eq!(world.refused("t", LENIENT, 0).await, reason, "{more}");
        assert_eq!(world.server.calls(), 1, "{more}");
    }
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate(
        "t",
        &json!({"token_type": "bearer", "token_use": "access_token", "exp": now - 59}),
    );
    world.ask("t", STRICT, 0).await.unwrap();
    world.server.activate(
        "u",
        &json!({"token_type": "DPoP", "cnf": {"jkt": "A".repeat(43)}}),
    );
    world.ask("u", STRICT, 0).await.unwrap();
}

#[tokio::test]
async fn only_the_boolean_true_is_active_and_anything_strange_is_no_answer() {
    for body in [
        json!({"active": "true", "aud": "api"}),
        json!({"active": 1}),
        json!({"active": null}),
        json!({}),
        json!([]),
        json!("<html>"),
        json!(r#"{"active":false,"active":true}"#),
        json!(r#"{"active":true} "#.repeat(2)),
    ] {
        let world = world(&format!("{ONE}{ROUTES}"));
        world.server.say("t", body.clone());
        for _ in 0..2 {
            let reason = world.refused("t", STRICT, 0).await;
            assert_eq!(reason, Reason::IntrospectionAnswer, "{body}");
        }
        assert_eq!(world.server.calls(), 2, "{body} was remembered");
    }
}

#[tokio::test]
async fn statuses_are_told_apart_and_none_is_remembered() {
    for (answer, reason) in [
        (Ok(401), Reason::IntrospectionRefused),
        (Ok(403), Reason::IntrospectionRefused),
        (Ok(429), Reason::IntrospectionUnavailable),
        (Ok(500), Reason::IntrospectionUnavailable),
        (Ok(503), Reason::IntrospectionUnavailable),
        (Ok(302), Reason::IntrospectionAnswer),
        (Ok(204), Reason::IntrospectionAnswer),
        (Ok(400), Reason::IntrospectionAnswer),
        (Ok(404), Reason::IntrospectionAnswer),
        (Err(()), Reason::IntrospectionUnavailable),
    ] {
        let world = world(&format!("{ONE}{ROUTES}"));
        world
            .server
            .put("t", answer.map(|status| (status, json!({}))));
        assert_eq!(world.refused("t", STRICT, 0).await, reason, "{answer:?}");
        world.server.activate("t", &json!({}));
        world.ask("t", STRICT, 0).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_refuses_us_by_name_does_not_speak_of_the_token() {
    for error in ["invalid_client", "unauthorized_client"] {
        let world = world(&format!("{ONE}{ROUTES}"));
        world.server.put("t", Ok((400, json!({"error": error}))));
        let reason = world.refused("t", STRICT, 0).await;
        assert_eq!(reason, Reason::IntrospectionRefused, "{error}");
    }
}

#[tokio::test]
async fn what_a_strange_token_causes_never_opens_the_breaker() {
    let world = world(&format!("{ONE}{ROUTES}"));
    for number in 0..20 {
        let token = format!("t{number}");
        world.server.put(
            &token,
            Ok((400, json!({"error": "unsupported_token_type"}))),
        );
        assert_eq!(
            world.refused(&token, STRICT, 0).await,
            Reason::IntrospectionAnswer
        );
        assert_eq!(
            world.refused(&format!("i{number}"), STRICT, 0).await,
            Reason::TokenInactive
        );
    }
    world.server.activate("good", &json!({}));
    world.ask("good", STRICT, 0).await.unwrap();
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_and_asked_again_later() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate("good", &json!({}));
    for number in 0..5 {
        let token = format!("t{number}");
        world.server.put(&token, Ok((500, json!({}))));
        let _ = world.refused(&token, STRICT, 0).await;
    }
    let denial = world.ask("good", STRICT, 14).await.unwrap_err();
    assert_eq!(denial.reason(), Reason::IntrospectionUnavailable);
    assert!(
        denial.detail().contains("not asked for a while"),
        "{denial:?}"
    );
    assert_eq!(world.server.calls(), 5);
    world.ask("good", STRICT, 15).await.unwrap();
}

#[tokio::test]
async fn an_outage_is_bridged_only_where_the_route_says_so_and_not_for_long() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate("t", &json!({}));
    world.ask("t", LENIENT, 0).await.unwrap();
    world.server.put("t", Err(()));
    world.server.put("new", Err(()));
    assert_eq!(
        world.refused("t", STRICT, 30).await,
        Reason::IntrospectionUnavailable
    );
    let subject = world.ask("t", LENIENT, 40).await.unwrap();
    assert_eq!(subject.valid_until, NOW.plus(300));
    assert!(subject.introspected.unwrap().is_recent);
    let unavailable = Reason::IntrospectionUnavailable;
    assert_eq!(world.refused("new", LENIENT, 40).await, unavailable);
    // While the breaker is open the same holds.
    for _ in 0..4 {
        world.ask("t", LENIENT, 41).await.unwrap();
    }
    let calls = world.server.calls();
    world.ask("t", LENIENT, 42).await.unwrap();
    assert_eq!(world.server.calls(), calls);
    assert_eq!(world.refused("t", LENIENT, 300).await, unavailable);
}

#[tokio::test]
async fn an_outage_revives_no_token_that_expired_or_was_refused_since() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world
        .server
        .activate("short", &json!({"exp": NOW.unix() + 10}));
    world.server.activate("revoked", &json!({}));
    world.ask("short", LENIENT, 0).await.unwrap();
    world.ask("revoked", LENIENT, 0).await.unwrap();
    world.server.say("revoked", json!({"active": false}));
    assert_eq!(
        world.refused("revoked", LENIENT, 30).await,
        Reason::TokenInactive
    );
    world.server.put("short", Err(()));
    world.server.put("revoked", Err(()));
    let unavailable = Reason::IntrospectionUnavailable;
    assert_eq!(world.refused("revoked", LENIENT, 45).await, unavailable);
    assert!(world.ask("short", LENIENT, 69).await.is_ok());
    assert_eq!(world.refused("short", LENIENT, 70).await, unavailable);
}

#[tokio::test]
async fn a_refusal_of_us_is_no_outage() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate("t", &json!({}));
    world.ask("t", LENIENT, 0).await.unwrap();
    world.server.put("t", Ok((401, json!({}))));
    assert_eq!(
        world.refused("t", LENIENT, 30).await,
        Reason::IntrospectionRefused
    );
}

#[tokio::test]
async fn concurrent_calls_for_one_token_are_one() {
    let world = world(&format!("{ONE}{ROUTES}"));
    world.server.activate("t", &json!({}));
    let shut = world.server.gate.lock().await;
    let mut calls: Vec<Pin<Box<_>>> = (0..50)
        .map(|_| Box::pin(world.ask("t", STRICT, 0)))
        .collect();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    // Whoever made the call gives up: the next in line makes it.
    drop(calls.remove(0));
    drop(shut);
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(world.server.calls(), 2);
}

#[tokio::test]
async fn an_answer_that_is_not_signed_is_refused_where_it_should_be() {
    let world = world(&format!(
        "{ONE}signed = true\nalgorithms = [\"ES256\"]\n{ROUTES}"
    ));
    world.server.activate("t", &json!({}));
    let denial = world.ask("t", STRICT, 0).await.unwrap_err();
    assert_eq!(denial.reason(), Reason::IntrospectionAnswer);
    assert!(denial.detail().contains("not signed"), "{denial:?}");
}
