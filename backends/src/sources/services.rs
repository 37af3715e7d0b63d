//! What is asked of each service, and where in the answer the text is.

use std::sync::Mutex;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    Profile,
    aws::{AwsAccess, Call, Service},
};

/// AWS: Systems Manager API Reference, `GetParameter`.
pub(super) async fn parameter(aws: &AwsAccess, name: &str) -> Result<String, String> {
    let body = json!({ "Name": name, "WithDecryption": true });
    let answer = json_call(aws, Service::Ssm, "AmazonSSM.GetParameter", &body).await?;
    let value = answer.pointer("/Parameter/Value").and_then(Value::as_str);
    value
        .map(str::to_owned)
        .ok_or_else(|| "the answer holds no parameter".to_owned())
}

/// AWS: Secrets Manager API Reference, `GetSecretValue`.
pub(super) async fn secret(aws: &AwsAccess, name: &str) -> Result<String, String> {
    let body = json!({ "SecretId": name });
    let target = "secretsmanager.GetSecretValue";
    let answer = json_call(aws, Service::SecretsManager, target, &body).await?;
    let value = answer.get("SecretString").and_then(Value::as_str);
    value
        .map(str::to_owned)
        .ok_or_else(|| "the answer holds no secret text; binary secrets are not read".to_owned())
}

/// AWS: Amazon S3 API Reference, `GetObject`. The address has the bucket in its path, because the name of a bucket may have
/// dots, which the certificate of S3 does not cover.
pub(super) async fn object(aws: &AwsAccess, bucket: &str, key: &str) -> Result<Vec<u8>, String> {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/');
    let path = format!("/{bucket}/{}", utf8_percent_encode(key, PLAIN));
    let call = Call {
        method: "GET",
        path: &path,
        ..Call::default()
    };
    aws.call(Service::S3, call).await.map(|answer| answer.body)
}

/// The place in a configuration session of `AppConfig` (AWS: `AppConfig` Data API Reference). An empty answer means that
/// nothing changed since the last one, so the last text is kept here.
#[derive(Debug, Default)]
pub(super) struct AppConfigPoll {
    last: Mutex<Option<Polled>>,
}

#[derive(Clone, Debug)]
struct Polled {
    token: String,
    text: String,
}

impl AppConfigPoll {
    pub(super) async fn latest(
        &self,
        aws: &AwsAccess,
        profile: &Profile,
    ) -> Result<String, String> {
        // A token works once; whoever comes at the same time begins a session of their own.
        let last = self.last.lock().ok().and_then(|mut last| last.take());
        let polled = match last {
            Some(Polled { token, text }) => match configuration(aws, &token).await {
                Ok((next, body)) => Polled {
                    text: if body.is_empty() { text } else { body },
                    token: next,
                },
                // Tokens expire after a day, and sooner when polled too often.
                Err(_) => begin(aws, profile).await?,
            },
            None => begin(aws, profile).await?,
        };
        let text = polled.text.clone();
        if let Ok(mut last) = self.last.lock() {
            *last = Some(polled);
        }
        Ok(text)
    }
}

async fn begin(aws: &AwsAccess, profile: &Profile) -> Result<Polled, String> {
    let body = json!({
        "ApplicationIdentifier": profile.application,
        "EnvironmentIdentifier": profile.environment,
        "ConfigurationProfileIdentifier": profile.profile,
    });
    let call = Call {
        method: "POST",
        path: "/configurationsessions",
        headers: &[("content-type", "application/json")],
        body: body.to_string(),
        ..Call::default()
    };
    let answer = aws.call(Service::AppConfigData, call).await?;
    let answer = parse(&answer.body)?;
    let token = answer
        .get("InitialConfigurationToken")
        .and_then(Value::as_str)
        .ok_or_else(|| "the answer holds no token".to_owned())?;
    let (token, text) = configuration(aws, token).await?;
    Ok(Polled { token, text })
}

async fn configuration(aws: &AwsAccess, token: &str) -> Result<(String, String), String> {
    let call = Call {
        method: "GET",
        path: "/configuration",
        query: &[("configuration_token", token)],
        ..Call::default()
    };
    let answer = aws.call(Service::AppConfigData, call).await?;
    let next = answer
        .next_token
        .ok_or_else(|| "the answer holds no next token".to_owned())?;
    let text = String::from_utf8(answer.body).map_err(|_| "the text is not UTF-8".to_owned())?;
    Ok((next, text))
}

pub(super) async fn json_call(
    aws: &AwsAccess,
    service: Service,
    target: &str,
    body: &Value,
) -> Result<Value, String> {
    let call = Call {
        method: "POST",
        path: "/",
        headers: &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ],
        body: body.to_string(),
        ..Call::default()
    };
    let answer = aws.call(service, call).await?;
    parse(&answer.body)
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|_| "the answer is not JSON".to_owned())
}
