//! The client: built quickly, patient for a stated time only.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig},
};

use crate::http::sdk;

/// How long one call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The longest time until a connection stands, TLS included.
    pub connect: Duration,
    /// The longest time of one attempt.
    pub attempt: Duration,
    /// How many attempts there are, the first included.
    pub attempts: u32,
}

impl Patience {
    /// Before the second attempt, at most; twice as long before each later one.
    const FIRST_PAUSE: Duration = Duration::from_millis(25);
    /// Between attempts, at most.
    const PAUSE: Duration = Duration::from_millis(100);

    /// For a caller who waits at the gate: at most about a second, where the gateway itself gives up after ten
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>).
    pub const AUTHORIZER: Self = Self {
        connect: Duration::from_millis(400),
        attempt: Duration::from_millis(450),
        attempts: 2,
    };

    /// For a limit, which is asked on the way of every call and has an answer for its own absence: at most a quarter of a
    /// second, whatever becomes of the store.
    pub const LIMITS: Self = Self {
        connect: Duration::from_millis(100),
        attempt: Duration::from_millis(110),
        attempts: 2,
    };

    /// For a proof that is remembered: never tried again, because a second attempt would find what the first one wrote.
    pub const REPLAYS: Self = Self {
        connect: Duration::from_millis(200),
        attempt: Duration::from_millis(400),
        attempts: 1,
    };
    /// For usage, which is written when nobody waits but the next event, or within the half second that Lambda leaves a
    /// function at its end.
    pub const USAGE: Self = Self {
        connect: Duration::from_millis(100),
        attempt: Duration::from_millis(190),
        attempts: 2,
    };

    /// For administration, where a transaction may take longer and a failure costs more than a wait.
    pub const ADMIN: Self = Self {
        connect: Duration::from_secs(1),
        attempt: Duration::from_secs(2),
        attempts: 3,
    };

    /// The longest time of a call with all its attempts and the pauses between them.
    pub fn total(self) -> Duration {
        let pauses = (1..self.attempts).map(|before| {
            let doubled = Self::FIRST_PAUSE.saturating_mul(1 << (before - 1).min(8));
            doubled.min(Self::PAUSE)
        });
        self.attempt.saturating_mul(self.attempts) + pauses.sum::<Duration>()
    }

    fn timeouts(self) -> TimeoutConfig {
        self.operation_timeouts()
            .to_builder()
            .connect_timeout(self.connect)
            .build()
    }

    /// Those of a call alone. A client keeps its connections apart by the time that they may take to stand, so a call that
    /// leaves that alone goes over the connections that are open already.
    pub(super) fn operation_timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.total())
            .build()
    }

    pub(super) fn retries(self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(Self::FIRST_PAUSE)
            .with_max_backoff(Self::PAUSE)
    }
}

/// Where the tables are and as whom they are touched.
#[derive(Clone)]
pub struct Connection {
    /// Region; the SDK's own chain is asked where absent.
    pub region: Option<String>,
    /// Another address than the region's own, such as an emulator's.
    pub endpoint_url: Option<String>,
    /// Credentials; the SDK's own chain is asked where absent.
    pub credentials: Option<Credentials>,
    /// How long a call may take.
    pub patience: Patience,
}

impl Connection {
    /// What the variables of an AWS environment say: `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL`,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>). `variable` answers the value of a name.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>, patience: Patience) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let credentials = set("AWS_ACCESS_KEY_ID")
            .zip(set("AWS_SECRET_ACCESS_KEY"))
            .map(|(id, secret)| {
                Credentials::new(id, secret, set("AWS_SESSION_TOKEN"), None, "environment")
            });
        let ignored = set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoint_url = set("AWS_ENDPOINT_URL_DYNAMODB")
            .or_else(|| set("AWS_ENDPOINT_URL"))
            .filter(|_| !ignored);
        Self {
            region: set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")),
            endpoint_url,
            credentials,
            patience,
        }
    }
}

/// A client for the connection. With region and credentials at hand, as in a Lambda function, nothing is looked up: no
/// file, no metadata service, no network.
pub async fn connect(connection: Connection) -> Client {
    let version = BehaviorVersion::v2026_01_12();
    let region = connection.region.map(Region::new);
    let http_client = sdk::client();
    let builder = match (region, connection.credentials) {
        (Some(region), Some(credentials)) => Builder::new()
            .behavior_version(version)
            .region(region)
            .credentials_provider(credentials),
        (region, credentials) => {
            let mut chain = aws_config::defaults(version).http_client(http_client.clone());
            if let Some(region) = region {
                chain = chain.region(region);
            }
            if let Some(credentials) = credentials {
                chain = chain.credentials_provider(credentials);
            }
            Builder::from(&chain.load().await)
        }
    };
    let patience = connection.patience;
    let mut builder = builder
        .timeout_config(patience.timeouts())
        .retry_config(patience.retries())
        // An attempt has its own end; a second watch over slow bodies adds nothing.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(url) = connection.endpoint_url {
        builder = builder.endpoint_url(url);
    }
    Client::from_conf(builder.http_client(http_client).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Connection {
        Connection::from_environment(
            |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            },
            Patience::AUTHORIZER,
        )
    }

    #[test]
    fn the_endpoint_of_the_service_wins_over_the_general_one() {
        let both = [
            ("AWS_ENDPOINT_URL", "http://a"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://b"),
        ];
        assert_eq!(from(&both).endpoint_url.as_deref(), Some("http://b"));
        assert_eq!(from(&both[..1]).endpoint_url.as_deref(), Some("http://a"));
        let ignored = [both[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")];
        assert_eq!(from(&ignored).endpoint_url, None);
    }

    #[test]
    fn empty_variables_count_as_absent() {
        let connection = from(&[
            ("AWS_REGION", ""),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", ""),
        ]);
        assert_eq!(connection.region.as_deref(), Some("eu-west-1"));
        assert!(connection.credentials.is_none());
    }

    #[test]
    fn the_patience_at_the_gate_stays_far_below_the_gateway_limit() {
        assert!(Patience::AUTHORIZER.total() <= Duration::from_millis(1200));
        assert!(Patience::LIMITS.total() <= Duration::from_millis(250));
        assert_eq!(Patience::ADMIN.total(), Duration::from_millis(6075));
    }
}
