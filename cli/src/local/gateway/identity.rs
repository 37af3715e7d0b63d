//! Identity sources: what must be there before the authorizer is asked, and what its answer is cached under.

use super::incoming::Incoming;

/// Where one part of the caller's identity stands (API Gateway Developer Guide, *Use API Gateway Lambda authorizers* and
/// *Control access to HTTP APIs with AWS Lambda authorizers*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// A header, lower case.
    Header(String),
    /// A query parameter.
    Query(String),
    /// The verb.
    Method,
    /// The template of the resource, or the route key of an HTTP API.
    Route,
    /// The stage.
    Stage,
    /// The address of the peer.
    SourceIp,
    /// The `User-Agent`.
    UserAgent,
    /// The client certificate, in PEM.
    Certificate,
}

impl IdentitySource {
    /// Reads `header:NAME`, `query:NAME` or `context:NAME`, or the same as API Gateway writes it for either kind of API.
    ///
    /// # Errors
    /// One line that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let after = |prefixes: [&str; 3]| {
            let name = prefixes
                .iter()
                .find_map(|prefix| text.strip_prefix(prefix))?;
            (!name.is_empty()).then_some(name)
        };
        if let Some(name) = after(["header:", "method.request.header.", "$request.header."]) {
            return Ok(Self::Header(name.to_ascii_lowercase()));
        }
        if let Some(name) = after([
            "query:",
            "method.request.querystring.",
            "$request.querystring.",
        ]) {
            return Ok(Self::Query(name.to_owned()));
        }
        match after(["context:", "context.", "$context."]) {
            Some("httpMethod" | "http.method") => Ok(Self::Method),
            Some("resourcePath" | "routeKey") => Ok(Self::Route),
            Some("stage") => Ok(Self::Stage),
            Some("identity.sourceIp") => Ok(Self::SourceIp),
            Some("identity.userAgent") => Ok(Self::UserAgent),
            Some("identity.clientCert.clientCertPem") => Ok(Self::Certificate),
            Some(other) => Err(format!(
                "`{other}` is not a context variable known here; httpMethod, resourcePath, routeKey, stage, \
                 identity.sourceIp, identity.userAgent and identity.clientCert.clientCertPem are"
            )),
            None => Err(format!(
                "`{text}` is not an identity source; write `header:NAME`, `query:NAME` or `context:NAME`"
            )),
        }
    }

    fn of(&self, incoming: &Incoming) -> Option<String> {
        let found = match self {
            Self::Header(name) => incoming.header(name)?,
            Self::Query(wanted) => {
                let values = incoming.query.iter().filter(|(name, _)| name == wanted);
                values
                    .map(|(_, value)| value.as_str())
                    .collect::<Vec<_>>()
                    .join(",")
            }
            Self::Method => incoming.method.clone(),
            Self::Route => incoming.route.key(incoming.api),
            Self::Stage => incoming.stage.clone(),
            Self::SourceIp => incoming.peer.to_string(),
            Self::UserAgent => incoming.header("user-agent")?,
            // Nobody is asked for one over plain HTTP.
            Self::Certificate => return None,
        };
        (!found.is_empty()).then_some(found)
    }
}

/// The values of all `sources` in order; `None` when one is missing or empty, which the gateway answers with 401 without
/// asking the authorizer.
pub(super) fn identity(sources: &[IdentitySource], incoming: &Incoming) -> Option<Vec<String>> {
    sources.iter().map(|source| source.of(incoming)).collect()
}
