//! A request as it came in, with the route it reached.

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, Uri, header::COOKIE};
use doorward_keys::Timestamp;
use percent_encoding::percent_decode_str;

use super::{
    client_certificate::ClientCertificate,
    routing::Reached,
    settings::{API, ApiKind},
};

/// A request as it came in. The path stays as the client wrote it; whether AWS decodes the path of the ARN is not
/// documented, and the undecoded one is what a careless policy would stumble over.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) api: ApiKind,
    pub(super) stage: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) raw_query: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) peer: IpAddr,
    /// The certificate of the client, where it came over the domain for mutual TLS.
    pub(super) certificate: Option<Arc<ClientCertificate>>,
    /// Whether there is such a domain, and the client called the default address of the API instead.
    pub(super) is_default_address: bool,
    pub(super) request_id: String,
    pub(super) received_at: Timestamp,
    pub(super) route: Reached,
}

impl Incoming {
    /// The name by which the client called the API. The default address has one that AWS made; here it is a made-up one.
    pub(super) fn domain(&self) -> String {
        if self.is_default_address {
            return format!("{API}.execute-api.us-east-1.amazonaws.com");
        }
        self.header("host").unwrap_or_default()
    }

    /// The values of a header, joined by commas as HTTP APIs do; bytes outside UTF-8 are replaced.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.header_values(name).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// The values of a header.
    pub(super) fn header_values(&self, name: &str) -> impl Iterator<Item = String> {
        let values = self.headers.get_all(name).into_iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The cookies, one `name=value` each.
    pub(super) fn cookies(&self) -> Vec<String> {
        self.header_values(COOKIE.as_str())
            .flat_map(|line| {
                line.split(';')
                    .map(|cookie| cookie.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|cookie| !cookie.is_empty())
            .collect()
    }
}

/// The query of `uri`, decoded; `+` is a space (WHATWG URL Standard, *application/x-www-form-urlencoded parsing*).
pub(in crate::local) fn query(uri: &Uri) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}
