//! Stages of API Gateway, whose kept answers can be thrown away.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use doorward_keys::StageCache;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::aws::{AwsAccess, Call, Service};

/// The longest id or name, in bytes (AWS: API Gateway Developer Guide, *quotas*; stage names have at most 128 characters).
const MAX: usize = 128;

/// A stage of an API: `rest:API/STAGE` or `http:API/STAGE`, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    kind: Kind,
    api: String,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rest,
    Http,
}

impl Stage {
    /// What a stage is written like.
    pub const FORM: &'static str = "`rest:API_ID/STAGE` or `http:API_ID/STAGE`";

    /// Reads a stage; `None` when it is written otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let kind = match kind {
            "rest" => Kind::Rest,
            "http" => Kind::Http,
            _ => return None,
        };
        let (api, name) = rest.split_once('/')?;
        let word = |text: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            (1..=MAX).contains(&text.len()) && text.bytes().all(fits)
        };
        let is_default = kind == Kind::Http && name == "$default";
        let fits = word(api) && (word(name) || is_default);
        fits.then(|| Self {
            kind,
            api: api.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Rest => "rest",
            Kind::Http => "http",
        };
        write!(f, "{kind}:{}/{}", self.api, self.name)
    }
}

/// The stages of API Gateway.
#[derive(Clone, Debug)]
pub struct ApiStages(Arc<AwsAccess>);

impl ApiStages {
    /// Stages, reached as whom `aws` is.
    pub const fn new(aws: Arc<AwsAccess>) -> Self {
        Self(aws)
    }
}

#[async_trait]
impl StageCache for ApiStages {
    /// AWS: API Gateway API Reference, `FlushStageAuthorizersCache`; API Gateway V2 API Reference, `ResetAuthorizersCache`.
    async fn flush(&self, stage: &str) -> Result<(), String> {
        const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
        let Some(Stage { kind, api, name }) = Stage::parse(stage) else {
            return Err(format!("`{stage}` is no stage, expected {}", Stage::FORM));
        };
        let (service, apis) = match kind {
            Kind::Rest => (Service::ApiGateway, "/restapis"),
            Kind::Http => (Service::ApiGatewayV2, "/v2/apis"),
        };
        let name = utf8_percent_encode(&name, PLAIN);
        let path = format!("{apis}/{api}/stages/{name}/cache/authorizers");
        let call = Call {
            method: "DELETE",
            path: &path,
            ..Call::default()
        };
        self.0.call(service, call).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_as_they_are_written_and_nothing_else() {
        for good in [
            "rest:abc123/v1",
            "http:abc123/$default",
            "http:a-1/prod_2-b",
        ] {
            let read = Stage::parse(good).map(|stage| stage.to_string());
            assert_eq!(read.as_deref(), Some(good));
        }
        for bad in [
            "",
            "abc123/v1",
            "rest:abc123",
            "rest:/v1",
            "rest:abc123/",
            "rest:abc123/$default",
            "rest:abc123/v1/x",
            "rest:a.b/v1",
            "ws:abc123/v1",
            "REST:abc123/v1",
            " rest:abc123/v1",
        ] {
            assert_eq!(Stage::parse(bad), None, "{bad}");
        }
    }
}
