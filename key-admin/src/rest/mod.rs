//! The REST API: events of a gateway, and the answers to them.
//!
//! One operation is one entry of the [`table`]. Problems are told as RFC 9457 has it ([`problem`]). The routes are described
//! by `docs/key-admin.openapi.json`, which is made from the table and served at `GET /openapi.json`.
//!
//! A header `Idempotency-Key` is the same as `idempotencyKey` in the body, and `If-Match` with the `ETag` of an answer the same
//! as `expectedVersion`, but that a version that has passed is then answered with 412.

mod answer;
mod caller;
pub mod client;
mod event;
mod fields;
pub mod problem;
#[cfg(feature = "schema")]
pub mod schema;
pub mod table;

pub(crate) use answer::{answer, document, json_answer, refused};
pub(crate) use caller::{caller, of_api};
pub(crate) use event::Asked;
pub use problem::Problem;
pub use table::{ROUTES, Route};

use crate::{command::Command, error::AdminError};

/// The document that describes the routes, as committed.
pub const OPENAPI: &str = include_str!("../../../docs/key-admin.openapi.json");

/// What is known of a request for its answer.
#[derive(Default)]
pub(crate) struct Read {
    /// Its entry in the table.
    route: Option<&'static Route>,
    /// Whether it has a precondition (RFC 9110 section 13.1).
    is_conditional: bool,
}

/// What `asked` asks for.
pub(crate) fn read(asked: &Asked<'_>) -> (Result<Command, AdminError>, Read) {
    let Some(route) = Route::find(asked.method, asked.resource) else {
        return (Err(no_route(asked)), Read::default());
    };
    let read = fields::read(route, asked);
    let read_as = |is_conditional| Read {
        route: Some(route),
        is_conditional,
    };
    match read {
        Ok((command, is_conditional)) => (Ok(command), read_as(is_conditional)),
        Err(error) => (Err(error), read_as(false)),
    }
}

fn no_route(asked: &Asked<'_>) -> AdminError {
    let methods = Route::methods(asked.resource);
    if methods.is_empty() {
        AdminError::NotFound(
            "such route; `GET /openapi.json` describes those that there are".to_owned(),
        )
    } else {
        AdminError::MethodNotAllowed(methods.join(", "))
    }
}

/// A text of the caller as a message may show it: one bounded line.
fn plain(text: &str) -> String {
    let printable = text.chars().filter(|character| !character.is_control());
    printable.take(60).collect()
}
