//! Gateway events in, checked requests out.
//!
//! 1. The event is read into a small tree that keeps odd values and repeated names visible; nothing in it can fail the
//!    reading as a whole. Fields that nobody reads are ignored: AWS adds fields at any time.
//! 2. Its kind is recognised. What is no kind of authorizer event gets no answer but an error.
//! 3. The ARN is read by position; method, account, API and stage of the rest must agree with it.
//! 4. One file per kind turns the rest into a [`Request`]. A field that is read and has the wrong form refuses the
//!    request as [`Reason::EventMalformed`]; absent, `null` and empty maps are all the same.
//!
//! Nothing of an event is ever printed: the tree has no `Debug`, and a [`Denial`] from here names places, not values.

mod appsync;
mod arn;
mod fields;
mod http_v1;
mod http_v2;
mod rest_request;
mod rest_token;
mod tree;
mod websocket;

use std::fmt;

use doorward_engine::{Denial, Reason, Request, limits::Moment};

pub use arn::MethodArn;
use arn::Parts;
pub use tree::MAX_EVENT_BYTES;
use tree::{Malformed, Node};

/// What sent the event; the shape of the answer follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// TOKEN authorizer of a REST API: one header value, nothing else.
    RestToken,
    /// REQUEST authorizer of a REST API.
    RestRequest,
    /// REQUEST authorizer on `$connect` of a WebSocket API.
    WebSocket,
    /// HTTP API, payload format 1.0.
    HttpApiV1,
    /// HTTP API, payload format 2.0.
    HttpApiV2,
    /// Lambda authorizer of an AppSync GraphQL API.
    AppSync,
    /// Custom authorizer of IoT Core: recognised, not served.
    IotCore,
    /// None of these.
    Unknown,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::RestToken,
        Self::RestRequest,
        Self::WebSocket,
        Self::HttpApiV1,
        Self::HttpApiV2,
        Self::AppSync,
        Self::IotCore,
        Self::Unknown,
    ];

    /// The word for it in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RestToken => "rest_token",
            Self::RestRequest => "rest_request",
            Self::WebSocket => "websocket",
            Self::HttpApiV1 => "http_api_1.0",
            Self::HttpApiV2 => "http_api_2.0",
            Self::AppSync => "appsync",
            Self::IotCore => "iot_core",
            Self::Unknown => "unknown",
        }
    }
}

/// An event, read but not understood yet. Reading never fails on JSON of any shape and size.
pub struct Event<'e> {
    root: Node<'e>,
    flaw: Option<&'static str>,
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[event]")
    }
}

impl<'e> Event<'e> {
    /// Reads the text of an event.
    pub fn parse(text: &'e [u8]) -> Self {
        let read = if text.len() > MAX_EVENT_BYTES {
            Err(TOO_LARGE)
        } else {
            tree::read(text).ok_or("the event is not JSON")
        };
        match read {
            Ok(root) => Self { root, flaw: None },
            Err(flaw) => Self {
                root: Node::Null,
                flaw: Some(flaw),
            },
        }
    }
}

const TOO_LARGE: &str = "the event is larger than 256 KB";

/// An event, understood as far as it can be.
#[derive(Debug)]
pub struct Decoded {
    /// What sent it.
    pub kind: EventKind,
    /// What is asked for, where the event has an ARN that can be read.
    pub asked: Option<MethodArn>,
    /// The request for the engine, or why there is none.
    pub request: Result<Request, Denial>,
}

/// Understands `event`, received at `received_at` by our own clock.
pub fn decode(event: &Event<'_>, received_at: impl Into<Moment>) -> Decoded {
    let received_at = received_at.into();
    let kind = if event.flaw.is_some() {
        EventKind::Unknown
    } else {
        recognise(&event.root)
    };
    let mut asked = None;
    let request = match event.flaw {
        Some(flaw) => Err(flaw.to_owned()),
        None => read(kind, &event.root, received_at, &mut asked)
            .map_err(|malformed| malformed.to_string()),
    };
    let request = request.map_err(|detail| Denial::new(Reason::EventMalformed, detail));
    Decoded {
        kind,
        asked,
        request,
    }
}

/// Tells events apart (AWS: input to a Lambda authorizer; Lambda authorizers for HTTP APIs, WebSocket APIs, AppSync, IoT).
fn recognise(event: &Node<'_>) -> EventKind {
    if !matches!(event, Node::Map(_)) {
        return EventKind::Unknown;
    }
    if event.has("protocolData") || event.has("signatureVerified") {
        return EventKind::IotCore;
    }
    let text = |path| event.text(path).ok().flatten();
    match (event.has("type"), text("type"), text("version")) {
        (false, ..) if is_graphql(event) => EventKind::AppSync,
        (_, Some("TOKEN"), _) => EventKind::RestToken,
        (_, Some("REQUEST"), _) if is_connect(event) => EventKind::WebSocket,
        // `sam local` sends the shape of format 2.0 with the ARN of an authorizer of format 1.0, and wants its answer.
        (_, Some("REQUEST"), Some("2.0")) if !event.has("routeArn") && event.has("methodArn") => {
            EventKind::HttpApiV1
        }
        (_, Some("REQUEST"), Some("2.0")) => EventKind::HttpApiV2,
        (_, Some("REQUEST"), Some("1.0")) => EventKind::HttpApiV1,
        (_, Some("REQUEST"), None) if !event.has("version") => EventKind::RestRequest,
        _ => EventKind::Unknown,
    }
}

fn is_graphql(event: &Node<'_>) -> bool {
    let operation =
        event.has("requestContext.queryString") || event.has("requestContext.operationName");
    event.has("authorizationToken")
        && matches!(event.at("requestContext"), Ok(Node::Map(_)))
        && operation
}

/// `version` tells nothing here: real events have none, and captures with `$LATEST` exist.
fn is_connect(event: &Node<'_>) -> bool {
    let text = |path| event.text(path).ok().flatten();
    let arn = || text("methodArn").filter(|arn| arn.ends_with("$connect"));
    let parts = || Parts::parse(arn()?, "methodArn").ok();
    text("requestContext.eventType").is_some()
        || parts().is_some_and(|arn| arn.resource == "$connect")
}

fn read(
    kind: EventKind,
    event: &Node<'_>,
    received_at: Moment,
    asked: &mut Option<MethodArn>,
) -> Result<Request, Malformed> {
    match kind {
        EventKind::AppSync => return appsync::read(event, received_at),
        EventKind::IotCore => {
            return Err(Malformed {
                at: "protocolData",
                what: "is of an IoT Core event, which is not served",
            });
        }
        EventKind::Unknown => {
            return Err(Malformed {
                at: "type",
                what: "and `version` are of no authorizer event",
            });
        }
        EventKind::RestToken
        | EventKind::RestRequest
        | EventKind::WebSocket
        | EventKind::HttpApiV1
        | EventKind::HttpApiV2 => {}
    }
    let at = if event.has("routeArn") {
        "routeArn"
    } else {
        "methodArn"
    };
    if at == "routeArn" && event.has("methodArn") {
        return Err(Malformed {
            at: "methodArn",
            what: "stands beside `routeArn`",
        });
    }
    let Some(text) = event.text(at)? else {
        return Err(Malformed {
            at,
            what: "is missing",
        });
    };
    let arn = Parts::parse(text, at)?;
    let kept = &*asked.insert(arn.kept());
    arn.agree(event)?;
    let target = arn.target(at)?;
    let seen = Seen {
        stage: kept.stage().clone(),
        target,
        received_at,
    };
    match kind {
        EventKind::RestToken => rest_token::read(event, seen),
        EventKind::RestRequest => rest_request::read(event, seen),
        EventKind::WebSocket => websocket::read(event, seen),
        EventKind::HttpApiV1 => http_v1::read(event, seen),
        EventKind::HttpApiV2 => http_v2::read(event, seen),
        // Answered above.
        EventKind::AppSync | EventKind::IotCore | EventKind::Unknown => Err(Malformed {
            at: "type",
            what: "is not served",
        }),
    }
}

/// What every kind with an ARN has in common.
struct Seen {
    stage: doorward_engine::request::ApiStage,
    target: doorward_engine::request::Target,
    received_at: Moment,
}

#[cfg(test)]
mod tests;
