//! The engine by itself, over stores in memory, and what callers do to it: what instructions and time are measured of.
//!
//! No cloud, no socket and no runtime are linked, so that building it takes little time and nothing else is measured.

pub mod bare;
pub mod credentials;
pub mod front;
pub mod house;
pub mod scene;
mod stores;
