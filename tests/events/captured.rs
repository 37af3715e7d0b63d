//! Every event of this folder against `decoded.txt`. What is refused there is refused on purpose: documentation samples
//! hold placeholders such as `IP`, or contradict themselves.

use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf};

use doorward_authorizer::{
    Event,
    event::{Decoded, EventKind, decode},
};
use doorward_engine::{
    Request,
    request::{Lookup, Target},
};
use doorward_keys::Timestamp;
use doorward_tests::golden;

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// The events of this folder, by name.
pub(crate) fn events() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> = fs::read_dir(golden::root().join("tests/events"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                fs::read(path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn captured_events_decode_as_written() {
    let mut text = String::new();
    for (name, event) in events() {
        write!(
            text,
            "{name}\n{}\n",
            shown(&decode(&Event::parse(&event), NOW))
        )
        .unwrap();
    }
    golden::check("tests/events/decoded.txt", &text);
}

#[test]
fn every_kind_has_an_event_that_is_accepted() {
    let accepted = events()
        .into_iter()
        .map(|(_, event)| decode(&Event::parse(&event), NOW));
    let kinds: BTreeSet<EventKind> = accepted
        .filter(|decoded| decoded.request.is_ok())
        .map(|decoded| decoded.kind)
        .collect();
    let served = EventKind::ALL
        .into_iter()
        .filter(|kind| !matches!(kind, EventKind::IotCore | EventKind::Unknown));
    assert_eq!(kinds, served.collect());
}

#[test]
fn every_event_names_its_origin() {
    let origin = fs::read_to_string(golden::root().join("tests/events/ORIGIN.md")).unwrap();
    for (name, _) in events() {
        assert!(
            origin.contains(&format!("`{name}`")),
            "ORIGIN.md says nothing of {name}"
        );
    }
}

fn shown(decoded: &Decoded) -> String {
    let mut text = format!("  kind {}\n", decoded.kind.as_str());
    match &decoded.request {
        Ok(request) => accepted(&mut text, request),
        Err(denial) => writeln!(
            text,
            "  refused {}: {}",
            denial.reason().as_str(),
            denial.detail()
        )
        .unwrap(),
    }
    text
}

fn accepted(text: &mut String, request: &Request) {
    writeln!(text, "  stage {}", request.stage.arn_prefix()).unwrap();
    match &request.target {
        Target::Http { verb, path } => writeln!(text, "  target {} {path}", verb.as_str()).unwrap(),
        Target::Connect => text.push_str("  target connect\n"),
        Target::GraphQl => text.push_str("  target graphql\n"),
    }
    for path in &request.raw_paths {
        writeln!(text, "  raw path {path}").unwrap();
    }
    for name in [
        "authorization",
        "x-api-key",
        "x-forwarded-for",
        "host",
        "header1",
        "header2",
    ] {
        match request.headers.one(name) {
            Lookup::Absent => {}
            Lookup::One(value) => writeln!(text, "  header {name}: {value}").unwrap(),
            Lookup::Conflict => writeln!(text, "  header {name} contradicts itself").unwrap(),
        }
    }
    for (kind, pairs) in [("query", &request.query), ("cookie", &request.cookies)] {
        for (name, value) in pairs {
            writeln!(text, "  {kind} {name}={}", value.expose()).unwrap();
        }
    }
    if let Some(peer) = request.peer {
        writeln!(text, "  peer {peer}").unwrap();
    }
    if let Some(certificate) = &request.certificate {
        writeln!(text, "  certificate {}", certificate.escape_debug()).unwrap();
    }
    if let Some(domain) = &request.entrance.domain {
        let path = request
            .entrance
            .path
            .as_deref()
            .unwrap_or(" (path not known)");
        writeln!(text, "  entrance {domain}{path}").unwrap();
    }
    if let Some(token) = &request.token {
        writeln!(text, "  token {}", token.expose()).unwrap();
    }
}
