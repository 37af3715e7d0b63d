//! The layers, one folder each, in the order of the pipeline.

pub mod api_key;
pub mod block_list;
pub mod certificate;
pub mod entitlements;
pub mod exchange;
pub mod introspection;
pub mod ip_allow;
pub mod jwt;
pub mod policy;
pub mod proof;
pub mod rate_limit;
