//! The line of one request: time, verb, path, status, what was decided and why, how long it took.

use crate::{
    clock,
    local::gateway::{Asked, Exchange},
    output::{BAD, DIM, GOOD, WARN, one_line, styled},
};

pub(super) fn line(exchange: &Exchange) -> String {
    let style = match exchange.status {
        200..=399 => GOOD,
        400..=499 => WARN,
        _ => BAD,
    };
    let shown = clock::shown(exchange.at);
    let time = shown
        .split_once('T')
        .map_or(shown.as_str(), |(_, time)| time);
    let is_good = exchange.status < 400;
    let decided = match (exchange.asked, exchange.note.as_str(), is_good) {
        (Asked::No, "", _) => "no authorizer on this route".to_owned(),
        (Asked::Cached, "", _) => "allowed, cached".to_owned(),
        (Asked::Cached, note, _) => format!("{note}, cached"),
        (Asked::Yes, "", _) => "allowed".to_owned(),
        (Asked::Yes, note, true) => format!("allowed: {note}"),
        (_, note, _) => note.to_owned(),
    };
    format!(
        "{} {:<7} {:<28} {} {} {}",
        styled(DIM, time),
        one_line(&exchange.method),
        one_line(&exchange.path),
        styled(style, exchange.status),
        one_line(&decided),
        styled(
            DIM,
            format!("{:.1} ms", exchange.took.as_secs_f64() * 1000.0)
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doorward_keys::Timestamp;

    use super::*;

    #[track_caller]
    fn check(asked: Asked, status: u16, note: &str, expected: &str) {
        let exchange = Exchange {
            request_id: "r".to_owned(),
            at: Timestamp::from_unix(1_795_428_000),
            method: "GET".to_owned(),
            path: "/a".to_owned(),
            status,
            asked,
            note: note.to_owned(),
            key_id: None,
            took: Duration::from_micros(1500),
        };
        let plain = anstream::adapter::strip_str(&line(&exchange)).to_string();
        assert_eq!(
            plain,
            format!("10:00:00Z GET     /a                           {status} {expected} 1.5 ms")
        );
    }

    #[test]
    fn says_what_was_decided_and_how() {
        check(Asked::Yes, 200, "key|key_1", "allowed: key|key_1");
        check(Asked::Cached, 200, "", "allowed, cached");
        check(
            Asked::Yes,
            403,
            "denied explicitly: scope_missing",
            "denied explicitly: scope_missing",
        );
        check(
            Asked::Cached,
            403,
            "denied explicitly",
            "denied explicitly, cached",
        );
        check(
            Asked::No,
            401,
            "identity source missing, authorizer not asked",
            "identity source missing, authorizer not asked",
        );
        check(Asked::No, 200, "", "no authorizer on this route");
    }
}
