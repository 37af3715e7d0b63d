//! New versions of secrets: put there as pending, made current later.

use std::sync::Arc;

use async_trait::async_trait;
use doorward_keys::{Secret, SuccessorSecrets};
use serde_json::{Value, json};

use super::{
    aws::{AwsAccess, Service},
    services::json_call,
};

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// Versions of secrets in Secrets Manager. No secret is ever read.
#[derive(Clone, Debug)]
pub struct SecretVersions(Arc<AwsAccess>);

impl SecretVersions {
    /// Versions, written as whom `aws` is.
    pub const fn new(aws: Arc<AwsAccess>) -> Self {
        Self(aws)
    }

    /// AWS: Secrets Manager API Reference, `UpdateSecretVersionStage`.
    async fn move_label(
        &self,
        name: &str,
        label: &str,
        to: Option<&str>,
        from: Option<&str>,
    ) -> Result<(), String> {
        let members = [
            ("SecretId", Some(name)),
            ("VersionStage", Some(label)),
            ("MoveToVersionId", to),
            ("RemoveFromVersionId", from),
        ];
        let members = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
        let body = Value::Object(members.collect());
        self.asked("UpdateSecretVersionStage", &body)
            .await
            .map(|_| ())
    }

    async fn asked(&self, operation: &str, body: &Value) -> Result<Value, String> {
        let target = format!("secretsmanager.{operation}");
        json_call(&self.0, Service::SecretsManager, &target, body)
            .await
            .map_err(|why| format!("{operation}: {why}"))
    }
}

#[async_trait]
impl SuccessorSecrets for SecretVersions {
    /// AWS: Secrets Manager API Reference, `PutSecretValue`.
    async fn put_pending(
        &self,
        name: &str,
        version: &str,
        printed: &Secret<String>,
    ) -> Result<(), String> {
        let body = json!({
            "SecretId": name,
            "ClientRequestToken": version,
            "SecretString": printed.expose(),
            "VersionStages": [PENDING],
        });
        self.asked("PutSecretValue", &body).await.map(|_| ())
    }

    /// AWS: Secrets Manager API Reference, `DescribeSecret`: what was current has to be named for it to give way.
    async fn make_current(&self, name: &str, version: &str) -> Result<(), String> {
        let described = self
            .asked("DescribeSecret", &json!({ "SecretId": name }))
            .await?;
        let stages = described
            .get("VersionIdsToStages")
            .and_then(Value::as_object);
        let holding = |label: &str| {
            let found = stages?.iter().find(|(_, labels)| {
                let labels = labels.as_array().into_iter().flatten();
                labels.filter_map(Value::as_str).any(|held| held == label)
            });
            found.map(|(version, _)| version.clone())
        };
        let current = holding(CURRENT);
        if current.as_deref() != Some(version) {
            self.move_label(name, CURRENT, Some(version), current.as_deref())
                .await?;
        }
        if holding(PENDING).as_deref() == Some(version) {
            self.move_label(name, PENDING, None, Some(version)).await?;
        }
        Ok(())
    }
}
