//! The binary itself, as somebody at a terminal uses it: what it prints where, and how it ends.

mod answers;
mod local;
mod run;
