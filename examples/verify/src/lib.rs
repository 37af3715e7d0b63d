//! A middleware for a backend in Rust: requests that did not come through the gate are refused.
//!
//! The gate signs what it found out about a caller ([identity token](../../docs/identity-token.md)), and API Gateway hands the
//! token on as a header. Whoever reaches the backend around the gateway has none, an old one, or one for somebody else.
//!
//! ```no_run
//! # use std::sync::Arc;
//! use axum::{Extension, Router, middleware, routing::get};
//! use doorward_verify::{Gate, Identity, require_identity};
//!
//! async fn orders(Extension(who): Extension<Identity>) -> String {
//!     format!("orders of {}", who.claim("tenant").unwrap_or("nobody"))
//! }
//!
//! let gate = Gate::new(
//!     "https://keys.example.com/v1/.well-known/jwks.json",
//!     "https://gate.example.com",
//!     "https://backend.example.com",
//! );
//! let app: Router = Router::new()
//!     .route("/orders", get(orders))
//!     .layer(middleware::from_fn_with_state(Arc::new(gate), require_identity));
//! ```

mod gate;
mod token;

pub use gate::{Gate, HEADER, Identity, require_identity};
pub use token::{Expected, KeySet, Refused, TYPE, verify};
