//! What a call asks for, as IAM sees it
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>).

use doorward_tests::between::Call;
use serde_json::Value;

/// One right that a call needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) action: String,
    /// The table or index, as the template names it.
    pub(crate) resource: String,
    pub(crate) leading_key: String,
    /// The sources of the events, where it hands over events.
    pub(crate) sources: Vec<String>,
}

/// All that `call` needs. A transaction needs the rights of the writes it consists of.
pub(crate) fn all(call: &Call, name_of: impl Fn(&str) -> String) -> Vec<Asked> {
    let one = |action: &str, body: &Value| {
        let table = name_of(body["TableName"].as_str().unwrap());
        let resource = match body["IndexName"].as_str() {
            None => format!("${{{table}.Arn}}"),
            Some(index) => format!("${{{table}.Arn}}/index/{index}"),
        };
        Asked {
            action: format!("dynamodb:{action}"),
            resource,
            leading_key: leading_key(body),
            sources: vec![],
        }
    };
    if call.action != "TransactWriteItems" {
        return vec![one(&call.action, &call.body)];
    }
    let writes = call.body["TransactItems"].as_array().unwrap().iter();
    writes
        .flat_map(|write| write.as_object().unwrap())
        .map(|(kind, body)| match kind.as_str() {
            "ConditionCheck" => one("ConditionCheckItem", body),
            kind => one(&format!("{kind}Item"), body),
        })
        .collect()
}

fn leading_key(body: &Value) -> String {
    let places = [
        "/Key/pk/S",
        "/Item/pk/S",
        "/ExpressionAttributeValues/:pk/S",
    ];
    let found = places
        .iter()
        .find_map(|place| body.pointer(place)?.as_str());
    found
        .unwrap_or_else(|| panic!("no partition key in {body}"))
        .to_owned()
}
