//! The Lambda authorizer: gateway events in, policies out.
//!
//! The way of a request: [`event`] decodes it, [`handler`] has it decided, [`response`] says the verdict in the shape that
//! the gateway expects, [`log`] tells the operator. [`settings`] is the only reader of the environment, [`clock`] the only
//! reader of clocks.

pub mod clock;
pub mod event;
pub mod handler;
pub mod log;
pub mod response;
pub mod settings;

pub use event::{Event, EventKind};
pub use handler::{Authorizer, Call, Decide, Explained};
pub use response::{Answer, Refusal};
