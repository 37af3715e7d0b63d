//! The whole gate against what it must refuse: outside faults, each with its refusal and a line in the log that names the
//! cause, and rules that only the whole can break. Single layers are held to their rules beside their code.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything in this crate is a test or serves one"
)]

mod blocks;
mod caches;
mod events;
mod gate;
mod introspection;
mod kept;
mod key_sets;
mod limit_store;
mod rules;
mod table;
