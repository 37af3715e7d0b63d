//! Small builders for the unit tests of this crate.

use doorward_keys::Timestamp;

use std::time::Duration;

use crate::authority::Timing;
use crate::request::{ApiStage, Entrance, Form, Headers, Request, Target, Verb};

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// A clock that stands still, and pauses that never end.
pub(crate) fn still() -> Timing {
    Timing {
        stopwatch: || Duration::ZERO,
        pause: |_| Box::pin(std::future::pending()),
    }
}

/// A request for `GET /orders` with these headers.
pub(crate) fn request(headers: &[(&str, &str)]) -> Request {
    Request {
        received_at: NOW.into(),
        time_left: None,
        stage: ApiStage::new("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod".to_owned()),
        target: Target::Http {
            verb: Verb::parse("GET").unwrap(),
            path: "/orders".to_owned(),
        },
        raw_paths: Vec::new(),
        headers: Headers::from_maps(&[], headers),
        query: Vec::new(),
        cookies: Vec::new(),
        peer: Some("198.51.100.7".parse().unwrap()),
        token: None,
        certificate: None,
        entrance: Entrance::default(),
        form: Form::Policy,
        has_usage_plans: true,
    }
}
