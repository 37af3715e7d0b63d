//! The Lambda authorizer: gateway events in, policies out.
pub mod event;
pub mod response;
pub mod settings;
