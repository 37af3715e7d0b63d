//! The floor: a Lambda function that reads its event, knows the answer already, and does nothing else. What it needs is what any
//! authorizer in Rust needs at least.

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(answer)).await
}

async fn answer(event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
    let resource = event.payload.get("methodArn").cloned().unwrap_or_default();
    Ok(json!({
        "principalId": "anybody",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}],
        },
        "context": {"subject": "anybody"},
    }))
}
