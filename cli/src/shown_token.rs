//! Identity tokens as they may be shown.

use doorward_engine::identity_token;
use serde_json::Value;

/// A token without what makes it work: who looks at it sees what it says.
pub(crate) fn unsigned(token: &str) -> String {
    match token.rsplit_once('.') {
        Some((said, _)) => format!("{said}.(hidden)"),
        None => "(hidden)".to_owned(),
    }
}

/// Takes the signature of the token among the facts at `pointer`, if there is one.
pub(crate) fn hide(value: &mut Value, pointer: &str) {
    let pointer = format!("{pointer}/{}", identity_token::NAME);
    if let Some(Value::String(token)) = value.pointer_mut(&pointer) {
        *token = unsigned(token);
    }
}
