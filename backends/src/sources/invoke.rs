//! Calls of an API behind IAM authorization
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html>).

use std::time::Duration;

use aws_sigv4::http_request::SigningSettings;
use reqwest::Url;

use super::{
    AwsAccess,
    aws::{Failure, Scope, read},
};

/// The longest time a call takes: as long as API Gateway waits for a function.
const TIMEOUT: Duration = Duration::from_secs(29);

/// What the API answered. The body may hold a secret: there is no `Debug`.
pub struct Invoked {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl AwsAccess {
    /// Calls an API once, with a signature for `execute-api`; the region is that of the host name where it is one of AWS.
    ///
    /// # Errors
    /// Says why there is no answer; the request may have been done or not.
    pub async fn invoke(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Invoked, String> {
        let url =
            Url::parse(url).map_err(|error| format!("the address `{url}` is none: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        let scope = Scope {
            name: "execute-api",
            region: region_of(host).unwrap_or_else(|| self.region()),
            settings: SigningSettings::default(),
        };
        let mut request = self.sign(scope, method, &url, headers, body).await?;
        *request.timeout_mut() = Some(TIMEOUT);
        let outcome = async {
            let response = self.client()?.execute(request).await?;
            let status = response.status().as_u16();
            let body = read(response).await?;
            Ok::<_, Failure>(Invoked { status, body })
        };
        outcome
            .await
            .map_err(|(Failure::Passing(why) | Failure::Final(why))| why)
    }
}

/// The region in the name of a host such as `a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com`.
fn region_of(host: &str) -> Option<&str> {
    let (_, rest) = host.split_once(".execute-api.")?;
    let (region, domain) = rest.split_once('.')?;
    domain.starts_with("amazonaws.com").then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_host_where_it_is_one_of_aws() {
        for (host, region) in [
            (
                "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
                Some("eu-west-1"),
            ),
            (
                "a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn",
                Some("cn-north-1"),
            ),
            ("127.0.0.1", None),
            ("keys.example.org", None),
            ("a.execute-api.eu-west-1.example.org", None),
        ] {
            assert_eq!(region_of(host), region, "{host}");
        }
    }
}
