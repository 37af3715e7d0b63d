//! A gateway on this machine that treats requests as API Gateway would.

pub mod gateway;
pub mod iam;
pub mod issuer;
