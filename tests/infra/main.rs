//! What is deployed otherwise than by `template.yaml` says the same: `infra/facts.json`, from which Terraform and CDK build, the
//! templates in `infra/`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod facts;
mod pieces;
mod template;
mod tree;
