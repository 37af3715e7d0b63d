//! The Lambda authorizer: gateway events in, policies out.
//!
//! The way of a request: [`event`] decodes it, [`handler`] has it decided, [`response`] says the verdict in the shape that
//! the gateway expects, [`log`] tells the operator. [`settings`] is the only reader of the environment, [`wiring`] the only
//! builder of back ends, [`clock`] the only reader of clocks, and [`runtime`] all that knows the Lambda runtime.

pub mod clock;
mod counting;
mod ending;
pub mod handler;
mod limits_in_redis;
pub mod log;
pub mod names;
pub mod runtime;
pub mod settings;
pub mod wiring;

pub use doorward_gateway::{event, response};
pub use event::{Event, EventKind};
pub use handler::{Authorizer, Call, Decide, Explained};
pub use response::{Answer, Refusal};
