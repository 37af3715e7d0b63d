//! Rate limits.
mod config;
pub use config::{Charge, Dimension, Limit, LimitsConfig, LimitsStore, OnOutage, Plan, Terms};
pub(crate) use config::{RawCharge, RawLimit, RawLimitsStore, RawPlan, Uses, check};
