//! One signed call to an AWS service, bounded in time and size.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use reqwest::{Client, Response, Url, redirect};
use serde_json::Value;

use super::MAX_BYTES;
use crate::roots::trusting;

/// The longest time until a connection stands, name lookup and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest time a call takes, credentials and the second try included.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest part of an error message that is shown, in characters.
const SHOWN_CHARS: usize = 300;

/// The services that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Ssm,
    SecretsManager,
    AppConfigData,
    S3,
    Kms,
    EventBridge,
    ApiGateway,
    ApiGatewayV2,
}

impl Service {
    /// The first label of the host name.
    const fn host(self) -> &'static str {
        match self {
            Self::Ssm => "ssm",
            Self::SecretsManager => "secretsmanager",
            Self::AppConfigData => "appconfigdata",
            Self::S3 => "s3",
            Self::Kms => "kms",
            Self::EventBridge => "events",
            // One service with two programming interfaces, and two variables for their addresses.
            Self::ApiGateway | Self::ApiGatewayV2 => "apigateway",
        }
    }

    /// How requests are signed. S3 takes paths as they are sent and wants the digest of the body in a header (AWS: Amazon S3 API
    /// Reference, *Authenticating Requests: Using the Authorization Header*).
    fn signing(self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self == Self::S3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }

    /// The name in the scope of the signature, which for `AppConfig` Data is that of `AppConfig`.
    const fn signing_name(self) -> &'static str {
        match self {
            Self::AppConfigData => "appconfig",
            other => other.host(),
        }
    }
}

/// Addresses in place of those of the region, as the SDKs of AWS take them from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// `AWS_ENDPOINT_URL`: for every service.
    pub all: Option<String>,
    /// `AWS_ENDPOINT_URL_SSM`.
    pub ssm: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub secrets_manager: Option<String>,
    /// `AWS_ENDPOINT_URL_APPCONFIGDATA`.
    pub app_config_data: Option<String>,
    /// `AWS_ENDPOINT_URL_S3`.
    pub s3: Option<String>,
    /// `AWS_ENDPOINT_URL_KMS`.
    pub kms: Option<String>,
    /// `AWS_ENDPOINT_URL_EVENTBRIDGE`.
    pub event_bridge: Option<String>,
    /// `AWS_ENDPOINT_URL_API_GATEWAY`: for REST APIs.
    pub api_gateway: Option<String>,
    /// `AWS_ENDPOINT_URL_APIGATEWAYV2`: for HTTP APIs.
    pub api_gateway_v2: Option<String>,
}

impl Endpoints {
    /// The addresses in an environment; none where `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let set = |name| variable(name).filter(|value| !value.is_empty() && !ignored);
        Self {
            all: set("AWS_ENDPOINT_URL"),
            ssm: set("AWS_ENDPOINT_URL_SSM"),
            secrets_manager: set("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            app_config_data: set("AWS_ENDPOINT_URL_APPCONFIGDATA"),
            s3: set("AWS_ENDPOINT_URL_S3"),
            kms: set("AWS_ENDPOINT_URL_KMS"),
            event_bridge: set("AWS_ENDPOINT_URL_EVENTBRIDGE"),
            api_gateway: set("AWS_ENDPOINT_URL_API_GATEWAY"),
            api_gateway_v2: set("AWS_ENDPOINT_URL_APIGATEWAYV2"),
        }
    }

    fn base(&self, service: Service, region: &str) -> String {
        let own = match service {
            Service::Ssm => &self.ssm,
            Service::SecretsManager => &self.secrets_manager,
            Service::AppConfigData => &self.app_config_data,
            Service::S3 => &self.s3,
            Service::Kms => &self.kms,
            Service::EventBridge => &self.event_bridge,
            Service::ApiGateway => &self.api_gateway,
            Service::ApiGatewayV2 => &self.api_gateway_v2,
        };
        let given = own.as_ref().or(self.all.as_ref());
        given.cloned().unwrap_or_else(|| {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{}.{region}.amazonaws.com{suffix}", service.host())
        })
    }
}

/// What is needed to call AWS. One for the life of the process.
pub struct AwsAccess {
    credentials: SharedCredentialsProvider,
    region: String,
    endpoints: Endpoints,
    clock: fn() -> SystemTime,
    // Made at the first use: most configurations are files.
    client: OnceLock<Result<Client, String>>,
}

impl AwsAccess {
    /// Access by `credentials` to the services of `region`. `clock` stamps the signatures.
    pub const fn new(
        credentials: SharedCredentialsProvider,
        region: String,
        endpoints: Endpoints,
        clock: fn() -> SystemTime,
    ) -> Self {
        Self {
            credentials,
            region,
            endpoints,
            clock,
            client: OnceLock::new(),
        }
    }

    /// Calls `service` and gives the answer with its body; the error says why there is none.
    pub(super) async fn call(&self, service: Service, call: Call<'_>) -> Result<Answer, String> {
        let outcome = tokio::time::timeout(TOTAL_TIMEOUT, async {
            match self.attempt(service, &call).await {
                Err(Failure::Passing(_)) => self.attempt(service, &call).await,
                outcome => outcome,
            }
        });
        match outcome.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failure::Passing(why) | Failure::Final(why))) => Err(why),
            Err(_) => Err(format!("no answer within {} s", TOTAL_TIMEOUT.as_secs())),
        }
    }

    async fn attempt(&self, service: Service, call: &Call<'_>) -> Result<Answer, Failure> {
        let request = self.signed(service, call).await.map_err(Failure::Final)?;
        let response = self.client()?.execute(request).await?;
        let status = response.status();
        let next_token = response
            .headers()
            .get("next-poll-configuration-token")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = read(response).await?;
        if status.is_success() {
            return Ok(Answer { body, next_token });
        }
        let why = refusal(status.as_u16(), &body);
        let may_pass = status.is_server_error() || status.as_u16() == 429;
        Err(if may_pass {
            Failure::Passing(why)
        } else {
            Failure::Final(why)
        })
    }

    async fn signed(&self, service: Service, call: &Call<'_>) -> Result<reqwest::Request, String> {
        let base = self.endpoints.base(service, &self.region);
        let base = base.trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{}", call.path))
            .map_err(|error| format!("the address `{base}` is none: {error}"))?;
        for (name, value) in call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let scope = Scope {
            name: service.signing_name(),
            region: &self.region,
            settings: service.signing(),
        };
        self.sign(scope, call.method, &url, call.headers, call.body.clone())
            .await
    }

    /// A request of `method` to `url`, signed.
    pub(super) async fn sign(
        &self,
        scope: Scope<'_>,
        method: &str,
        url: &Url,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<reqwest::Request, String> {
        let credentials = self.credentials.provide_credentials().await;
        // The error of a provider may quote what a process printed.
        let credentials = credentials.map_err(|_| "no credentials of AWS can be had".to_owned())?;
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.name)
            .time((self.clock)())
            .settings(scope.settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers = headers.iter().copied();
        let signable = SignableRequest::new(
            method,
            url.as_str(),
            headers.clone(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &params)
            .map_err(|error| error.to_string())?
            .into_parts();
        let mut builder = http::Request::builder().method(method).uri(url.as_str());
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let mut request = builder.body(body).map_err(|error| error.to_string())?;
        instructions.apply_to_request_http1x(&mut request);
        request
            .try_into()
            .map_err(|error: reqwest::Error| causes(&error))
    }

    /// The region, where a service does not say another.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn client(&self) -> Result<&Client, Failure> {
        let made = self.client.get_or_init(|| {
            let builder = Client::builder()
                .user_agent(concat!("doorward/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TOTAL_TIMEOUT);
            trusting(builder).build().map_err(|error| causes(&error))
        });
        made.as_ref().map_err(|why| Failure::Final(why.clone()))
    }
}

impl fmt::Debug for AwsAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsAccess")
            .field("region", &self.region)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// What a signature is for.
pub(super) struct Scope<'s> {
    /// The service, as signatures name it.
    pub(super) name: &'s str,
    pub(super) region: &'s str,
    pub(super) settings: SigningSettings,
}

/// One call.
#[derive(Debug, Default)]
pub(super) struct Call<'c> {
    pub(super) method: &'c str,
    pub(super) path: &'c str,
    pub(super) query: &'c [(&'c str, &'c str)],
    pub(super) headers: &'c [(&'c str, &'c str)],
    pub(super) body: String,
}

/// What a service answered. The body may be a secret: there is no `Debug`.
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) next_token: Option<String>,
}

pub(super) enum Failure {
    /// Another try may do better.
    Passing(String),
    /// Another try would end the same way.
    Final(String),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Passing(causes(&error))
    }
}

pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len().saturating_add(piece.len()) > MAX_BYTES {
            let why = format!("the answer is longer than {MAX_BYTES} bytes");
            return Err(Failure::Final(why));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The code and the message of an error answer, in either of the two spellings that AWS uses.
fn refusal(status: u16, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    // S3 answers in XML; its code says enough.
    let xml = std::str::from_utf8(body).ok().and_then(|text| {
        let (_, rest) = text.split_once("<Code>")?;
        Some(rest.split_once("</Code>")?.0.to_owned())
    });
    let text = |names: [&str; 3]| {
        let found = names.iter().find_map(|name| json.get(name)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let code = text(["__type", "code", "Code"]);
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = xml.as_deref().unwrap_or(code);
    let message = text(["message", "Message", "errorMessage"]);
    let parts = [format!("status {status}"), code.to_owned(), message];
    let joined: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let line = joined.join(": ");
    line.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN_CHARS)
        .collect()
}

/// An error and what caused it. Without the address, which holds nothing that the caller does not know.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = vec![];
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    // The innermost cause is the one that helps.
    texts.pop().unwrap_or_default()
}
