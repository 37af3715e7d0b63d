//! As whom AWS is called, and where: found as the SDKs of AWS find it.

use std::time::SystemTime;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::{AwsAccess, Endpoints};
use crate::{
    dynamodb::{Connection, Patience},
    http::sdk,
};

impl AwsAccess {
    /// What the variables of a function say; `None` without a region or without credentials. Nothing is looked up: no
    /// file, no metadata service. `clock` stamps the signatures.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        clock: fn() -> SystemTime,
    ) -> Option<Self> {
        let Connection {
            region,
            credentials,
            ..
        } = Connection::from_environment(&variable, Patience::ADMIN);
        Some(Self::new(
            SharedCredentialsProvider::new(credentials?),
            region?,
            Endpoints::from_variables(variable),
            clock,
        ))
    }

    /// As [`AwsAccess::from_environment`]; what is missing there is looked for where somebody at a terminal keeps it, such as
    /// the profile that `AWS_PROFILE` names. `None` without a region.
    pub async fn from_chain(
        variable: impl Fn(&str) -> Option<String>,
        clock: fn() -> SystemTime,
    ) -> Option<Self> {
        if let Some(access) = Self::from_environment(&variable, clock) {
            return Some(access);
        }
        let connection = Connection::from_environment(&variable, Patience::ADMIN);
        let mut chain =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(sdk::client());
        if let Some(region) = connection.region {
            chain = chain.region(Region::new(region));
        }
        let found = chain.load().await;
        Some(Self::new(
            found.credentials_provider()?,
            found.region()?.to_string(),
            Endpoints::from_variables(variable),
            clock,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        AwsAccess::from_environment(variable, || SystemTime::UNIX_EPOCH)
            .map(|access| format!("{access:?}"))
    }

    #[test]
    fn a_region_and_credentials_are_needed_and_no_secret_is_shown() {
        let all = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_ENDPOINT_URL_SSM", "http://ssm"),
        ];
        let shown = from(&all).unwrap();
        assert!(
            shown.contains("eu-west-1") && shown.contains("http://ssm"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(from(&all[1..]), None);
        assert_eq!(from(&all[..2]), None);
    }
}
