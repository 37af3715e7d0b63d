//! The key set with which backends verify identity tokens (RFC 7517 section 5): `GET /.well-known/jwks.json`, which anybody may
//! ask for, or the direct invocation `{"operation": "keySet"}`.
//!
//! It holds public keys only and is the same for everybody, so there is neither a caller nor a line in the log: whoever can
//! reach the API could write as many lines as they like.

use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use super::Answer;
use crate::{
    error::AdminError,
    rest::{self, Asked},
};

/// How long a backend may keep the set, in seconds. A new key has to stand in the set for as long before it signs.
const MAX_AGE_SECONDS: u32 = 300;

/// The answer to `event` where it asks for the key set; `None` where it asks for something else.
pub(super) fn answer(event: &Value, key_set: Option<&Value>, request_id: &str) -> Option<Answer> {
    let is_rest = event.get("requestContext").is_some();
    let is_asked = if is_rest {
        let asked = Asked::of(event);
        event.get("operation").is_none()
            && (asked.method, asked.resource) == ("GET", "/.well-known/jwks.json")
    } else {
        // Whatever else stands there is a mistake that the reader of commands tells.
        *event == json!({"operation": "keySet"})
    };
    is_asked.then(|| {
        if is_rest {
            over_rest(key_set, request_id)
        } else {
            invoked(key_set)
        }
    })
}

fn over_rest(key_set: Option<&Value>, request_id: &str) -> Answer {
    Answer::Body(match key_set {
        Some(key_set) => {
            let kept = json!(format!("public, max-age={MAX_AGE_SECONDS}"));
            let headers = [("cache-control".to_owned(), kept)].into_iter().collect();
            rest::json_answer(200, "application/json", &key_set.to_string(), headers)
        }
        None => rest::refused(&none(), request_id),
    })
}

fn invoked(key_set: Option<&Value>) -> Answer {
    match key_set {
        Some(key_set) => Answer::Body(key_set.clone()),
        None => Answer::Failure(Diagnostic {
            error_type: none().code().to_owned(),
            error_message: none().detail(),
        }),
    }
}

fn none() -> AdminError {
    AdminError::NotFound("key set; the configuration has no `identity_token`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event without an IAM principal.
    fn asked(method: &str, resource: &str, key_set: Option<&Value>) -> Option<Value> {
        let event = json!({
            "httpMethod": method, "resource": resource, "path": "/v1/.well-known/jwks.json",
            "requestContext": {"identity": {"userArn": null}}, "body": null,
        });
        match answer(&event, key_set, "r")? {
            Answer::Body(body) => Some(body),
            Answer::Failure(failure) => panic!("{failure:?}"),
        }
    }

    #[test]
    fn anybody_gets_the_key_set_over_its_own_route() {
        let key_set = json!({"keys": [{"kid": "k"}]});
        let answer = asked("GET", "/.well-known/jwks.json", Some(&key_set)).unwrap();
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(answer["headers"]["cache-control"], "public, max-age=300");
        assert_eq!(answer["body"], key_set.to_string());
        for (method, resource) in [
            ("POST", "/.well-known/jwks.json"),
            ("GET", "/{proxy+}"),
            ("GET", "/keys"),
        ] {
            assert!(
                asked(method, resource, Some(&key_set)).is_none(),
                "{method} {resource}"
            );
        }
    }

    #[test]
    fn without_identity_tokens_there_is_no_key_set() {
        let answer = asked("GET", "/.well-known/jwks.json", None).unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["headers"]["cache-control"]),
            (&json!(404), &json!("no-store"))
        );
        let direct = super::answer(&json!({"operation": "keySet"}), None, "r");
        assert!(
            matches!(direct, Some(Answer::Failure(failure)) if failure.error_type == "not_found")
        );
    }
}
