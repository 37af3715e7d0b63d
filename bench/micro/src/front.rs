//! What stands around a decision: its event read, its answer written.

use anyhow::{Context as _, ensure};
use doorward_engine::{Decision, Verdict, config::AnswersConfig};
use doorward_gateway::{
    event::{Decoded, Event, decode},
    response::{Answer, Asker, encode},
};
use serde_json::{Map, Value, json};

use crate::{
    credentials::{Credentials, NOW},
    house::{ADDRESS, House, Size, still},
};

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// An event of a REST API with seven headers is read.
    Event,
    /// The answer to a cached API key, with 10 routes, is written.
    Answer,
}

impl Front {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Event, Self::Answer];

    /// Its name in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "reading the event of a REST API",
            Self::Answer => "writing the answer to it",
        }
    }
}

/// An event, what it asks for, and what is decided on it.
pub struct Asked {
    text: String,
    verdict: Verdict,
    answers: AnswersConfig,
}

impl Asked {
    /// A call with an API key that is let in.
    ///
    /// # Errors
    /// When it is not let in.
    pub fn with_key(credentials: &Credentials) -> anyhow::Result<Self> {
        let key = credentials.keys.first().context("no key")?;
        let text = event(&format!("ApiKey {key}"), ADDRESS);
        let house = House::build(Size::SMALL, credentials, still)?;
        let request = decode(&Event::parse(text.as_bytes()), NOW).request;
        let request = request.map_err(|denial| anyhow::anyhow!("{denial:?}"))?;
        let verdict = house.decide(&request)?;
        ensure!(
            matches!(verdict.decision, Decision::Allow(_)),
            "not let in: {:?}",
            verdict.decision
        );
        Ok(Self {
            text,
            verdict,
            answers: house.answers(),
        })
    }

    /// Reads the event.
    pub fn read(&self) -> Decoded {
        decode(&Event::parse(self.text.as_bytes()), NOW)
    }

    /// Writes the answer to `decoded`.
    ///
    /// # Errors
    /// When the answer is none.
    pub fn write(&self, decoded: &Decoded) -> anyhow::Result<Answer> {
        let asker = Asker {
            kind: decoded.kind,
            asked: decoded.asked.as_ref(),
            received_at: NOW,
        };
        Ok(encode(&self.verdict, asker, &self.answers).answer?)
    }
}

/// The event for `GET /orders/42` with this header `Authorization` from `address`, as REST APIs send it to an authorizer of the
/// type REQUEST.
pub fn event(authorization: &str, address: &str) -> String {
    let host = "a1b2c3.execute-api.us-east-1.amazonaws.com";
    let headers = json!({
        "accept": "application/json", "authorization": authorization, "host": host, "user-agent": "bench/1.0",
        "x-forwarded-for": ADDRESS, "x-forwarded-port": "443", "x-forwarded-proto": "https",
    });
    let named = headers.as_object().into_iter().flatten();
    let many: Map<String, Value> = named
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    json!({
        "type": "REQUEST", "resource": "/orders/{id}", "path": "/orders/42", "httpMethod": "GET",
        "methodArn": "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/v1/GET/orders/42",
        "headers": headers, "multiValueHeaders": many,
        "queryStringParameters": {}, "multiValueQueryStringParameters": {}, "pathParameters": {"id": "42"}, "stageVariables": {},
        "requestContext": {
            "accountId": "111122223333", "apiId": "a1b2c3", "stage": "v1", "httpMethod": "GET", "resourceId": "x1y2z3",
            "resourcePath": "/orders/{id}", "path": "/v1/orders/42", "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "domainName": host, "requestTimeEpoch": 1_795_428_000_000_i64,
            "identity": {"sourceIp": address, "userAgent": "bench/1.0"},
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_read_and_the_answer_lets_in_what_was_asked_for() {
        let credentials = Credentials::make(1, 1).unwrap();
        let asked = Asked::with_key(&credentials).unwrap();
        let answer = asked.write(&asked.read()).unwrap();
        let answer = answer.to_value();
        let first = &answer["policyDocument"]["Statement"][0];
        assert_eq!(first["Effect"], "Allow");
        let resources = first["Resource"].as_array().unwrap();
        assert!(
            resources
                .iter()
                .any(|one| one.as_str().unwrap().ends_with("/GET/orders/?*"))
        );
    }
}
