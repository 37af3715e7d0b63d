//! Templates of `CloudFormation` and SAM, read without running anything: YAML or JSON, intrinsic functions in both spellings,
//! resolved as far as can be known from the template alone.
//!
//! 1. [`read`](self::read()) makes a tree whose every value knows its line; `!GetAtt A.B` becomes what
//!    `{"Fn::GetAtt": ["A", "B"]}` is.
//! 2. [`Template::resolved`] puts parameters, conditions and texts in their places. What only AWS knows, such as the ARN of a
//!    table, becomes a text that names it: `${KeysTable.Arn}`.

mod node;
mod read;
mod resolve;
#[cfg(test)]
mod tests;

pub use node::{Node, Value};
pub use read::{TemplateError, read};
pub use resolve::Template;
