//! A gateway on this machine that treats requests as API Gateway would, with everything behind it: the authorizer's own
//! handler, an embedded DynamoDB, an issuer of demo tokens, a demo key, and key administration behind an API of its own.

mod access_log;
pub mod admin;
mod assembly;
mod decoys;
pub mod gateway;
pub mod iam;
mod in_process;
pub mod issuer;
mod jobs;
mod listener;
mod mtls;
mod seed;
mod source;
mod usage;

pub use assembly::{Api, LocalGateway, Plan};
pub use jobs::flush_policy;
pub use mtls::{Domain, Mtls};
pub use seed::DemoKey;
pub use source::{DEMO, DEMO_AUDIENCE, DEMO_SIGNING_KEY, Source, demo, trust_in_demo_issuer};
