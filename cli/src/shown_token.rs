//! Tokens for the backend as they may be shown.

use doorward_engine::{identity_token, layers::exchange};
use serde_json::Value;

/// A token without what makes it work: who looks at it sees what it says.
pub(crate) fn unsigned(token: &str) -> String {
    match token.rsplit_once('.') {
        Some((said, _)) => format!("{said}.(hidden)"),
        None => "(hidden)".to_owned(),
    }
}

/// Takes the signatures of the tokens among the facts at `pointer`, if there are any.
pub(crate) fn hide(value: &mut Value, pointer: &str) {
    for name in [identity_token::NAME, exchange::CONTEXT_NAME] {
        let pointer = format!("{pointer}/{name}");
        if let Some(Value::String(token)) = value.pointer_mut(&pointer) {
            *token = unsigned(token);
        }
    }
}
