//! APIs as `CloudFormation` writes them, without SAM.

use std::collections::BTreeMap;

use super::{
    Api, ApiKind, Authorizer, Form, Guard, Reading, Response, Route, Source, Wiring, openapi,
    referenced, truth, ttl,
};
use crate::template::Node;

pub(super) fn read(reading: &Reading<'_>, wiring: &mut Wiring) {
    rest_apis(reading, wiring);
    http_apis(reading, wiring);
    authorizers(reading, wiring);
    rest_routes(reading, wiring);
    http_routes(reading, wiring);
    for (_, resource, properties) in reading.of("AWS::ApiGateway::GatewayResponse") {
        let text = |name: &str| properties.get(name).and_then(Node::text);
        let Some(api) = wiring.api(text("RestApiId"), ApiKind::Rest) else {
            continue;
        };
        let headers = properties.get("ResponseParameters");
        let response = Response {
            line: resource.line,
            status: text("StatusCode").map(str::to_owned),
            headers: headers
                .map_or(&[][..], Node::members)
                .iter()
                .filter_map(|(name, _)| name.strip_prefix("gatewayresponse.header."))
                .map(str::to_ascii_lowercase)
                .collect(),
        };
        let kind = text("ResponseType").unwrap_or_default().to_owned();
        api.responses.insert(kind, response);
    }
}

impl Wiring {
    /// The API that a reference means; one that is not in the template stands under what is written.
    fn api(&mut self, reference: Option<&str>, kind: ApiKind) -> Option<&mut Api> {
        let reference = reference?;
        let id = referenced(reference).unwrap_or(reference).to_owned();
        if !self.apis.iter().any(|api| api.id == id) {
            self.apis.push(Api::elsewhere(id.clone(), kind));
        }
        self.apis.iter_mut().find(|api| api.id == id)
    }
}

impl Api {
    fn new(id: &str, kind: ApiKind, line: usize) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            line,
            authorizers: Vec::new(),
            routes: Vec::new(),
            cors: None,
            guarded_preflight: None,
            responses: BTreeMap::new(),
            key_by_authorizer: Some(false),
            default_endpoint_closed: Some(false),
        }
    }

    /// One of which only what is attached to it is known.
    fn elsewhere(id: String, kind: ApiKind) -> Self {
        Self {
            key_by_authorizer: None,
            default_endpoint_closed: None,
            id,
            ..Self::new("", kind, 0)
        }
    }
}

fn rest_apis(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (id, resource, properties) in reading.of("AWS::ApiGateway::RestApi") {
        let mut api = Api::new(id, ApiKind::Rest, resource.line);
        let source = properties.get("ApiKeySourceType");
        api.key_by_authorizer = match source {
            None => Some(false),
            Some(node) => node.text().map(|source| source == "AUTHORIZER"),
        };
        let closed = properties.get("DisableExecuteApiEndpoint");
        api.default_endpoint_closed = truth(closed, false);
        if let Some(document) = properties.get("Body") {
            openapi::read(document, &mut api, &Guard::Nobody);
        }
        wiring.apis.push(api);
    }
}

fn http_apis(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (id, resource, properties) in reading.of("AWS::ApiGatewayV2::Api") {
        if properties.get("ProtocolType").and_then(Node::text) == Some("WEBSOCKET") {
            continue;
        }
        let mut api = Api::new(id, ApiKind::Http, resource.line);
        api.cors = properties.get("CorsConfiguration").map(|node| node.line);
        let closed = properties.get("DisableExecuteApiEndpoint");
        api.default_endpoint_closed = truth(closed, false);
        if let Some(document) = properties.get("Body") {
            openapi::read(document, &mut api, &Guard::Nobody);
        }
        wiring.apis.push(api);
    }
}

fn authorizers(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (kind, of_api, api_kind) in [
        ("AWS::ApiGateway::Authorizer", "RestApiId", ApiKind::Rest),
        ("AWS::ApiGatewayV2::Authorizer", "ApiId", ApiKind::Http),
    ] {
        for (id, resource, properties) in reading.of(kind) {
            let text = |name: &str| properties.get(name).and_then(Node::text);
            let named = text("Type").or_else(|| text("AuthorizerType"));
            let form = match (api_kind, named) {
                (ApiKind::Rest, Some("TOKEN")) => Form::RestToken,
                (ApiKind::Rest, Some("REQUEST")) => Form::RestRequest,
                (ApiKind::Http, Some("REQUEST")) => openapi::form(
                    text("AuthorizerPayloadFormatVersion"),
                    properties.get("EnableSimpleResponses"),
                ),
                (_, None) => Form::Unknown,
                _ => continue,
            };
            let credentials = ["AuthorizerCredentials", "AuthorizerCredentialsArn"];
            let uri = text("AuthorizerUri").unwrap_or_default();
            let authorizer = Authorizer {
                name: id.to_owned(),
                line: resource.line,
                form,
                sources: Source::all(properties.get("IdentitySource")),
                ttl: ttl(
                    properties.get("AuthorizerResultTtlInSeconds"),
                    resource.line,
                ),
                function: referenced(uri).map(str::to_owned),
                is_permitted: credentials
                    .iter()
                    .any(|name| properties.get(name).is_some()),
            };
            if let Some(api) = wiring.api(text(of_api), api_kind) {
                api.authorizers.push(authorizer);
            }
        }
    }
}

fn rest_routes(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (_, resource, properties) in reading.of("AWS::ApiGateway::Method") {
        let text = |name: &str| properties.get(name).and_then(Node::text);
        let path = text("ResourceId").map(|id| path_of(reading, id, 0));
        let uri = properties.at(&["Integration", "Uri"]).and_then(Node::text);
        let route = Route {
            method: text("HttpMethod").unwrap_or("ANY").to_ascii_uppercase(),
            path: path.unwrap_or_else(|| "/".to_owned()),
            line: resource.line,
            guard: guard(text("AuthorizationType"), text("AuthorizerId")),
            backend: uri.map(|uri| referenced(uri).unwrap_or(uri).to_owned()),
            needs_key: truth(properties.get("ApiKeyRequired"), false) != Some(false),
        };
        if let Some(api) = wiring.api(text("RestApiId"), ApiKind::Rest) {
            openapi::add(api, route);
        }
    }
}

/// The path of a resource: its part behind that of its parent.
fn path_of(reading: &Reading<'_>, reference: &str, depth: usize) -> String {
    let id = referenced(reference).unwrap_or(reference);
    let found = reading
        .of("AWS::ApiGateway::Resource")
        .find(|(known, ..)| *known == id);
    let Some((_, _, properties)) = found.filter(|_| depth < 40) else {
        return "/".to_owned();
    };
    let text = |name: &str| properties.get(name).and_then(Node::text);
    let parent = text("ParentId").map_or_else(
        || "/".to_owned(),
        |parent| path_of(reading, parent, depth.saturating_add(1)),
    );
    let part = text("PathPart").unwrap_or_default();
    format!("{}/{part}", parent.trim_end_matches('/'))
}

fn http_routes(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (_, resource, properties) in reading.of("AWS::ApiGatewayV2::Route") {
        let text = |name: &str| properties.get(name).and_then(Node::text);
        let key = text("RouteKey").unwrap_or("$default");
        let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
        // `$connect` and its like are routes of a WebSocket API.
        if path.starts_with('$') && path != "$default" {
            continue;
        }
        let target = text("Target").and_then(referenced);
        let integration = target.and_then(|id| {
            let all = &mut reading.of("AWS::ApiGatewayV2::Integration");
            let (_, _, properties) = all.find(|(known, ..)| *known == id)?;
            let uri = properties.get("IntegrationUri")?.text()?;
            Some(referenced(uri).unwrap_or(uri).to_owned())
        });
        let route = Route {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            line: resource.line,
            guard: guard(text("AuthorizationType"), text("AuthorizerId")),
            backend: integration.or_else(|| target.map(str::to_owned)),
            needs_key: false,
        };
        if let Some(api) = wiring.api(text("ApiId"), ApiKind::Http) {
            openapi::add(api, route);
        }
    }
}

fn guard(kind: Option<&str>, authorizer: Option<&str>) -> Guard {
    match (kind, authorizer) {
        (Some("CUSTOM"), Some(id)) => Guard::Authorizer(referenced(id).unwrap_or(id).to_owned()),
        (None | Some("NONE"), _) => Guard::Nobody,
        _ => Guard::Other,
    }
}
