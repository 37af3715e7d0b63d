//! APIs as SAM writes them
//! (<https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html>).

use super::{
    Api, ApiKind, Authorizer, Form, Guard, Reading, Response, Route, Source, Wiring, is_unknown,
    openapi, referenced, truth, ttl,
};
use crate::template::{Node, Value};

/// The APIs that SAM makes where an event names none, of what `Globals` says.
const IMPLICIT: [(&str, &str); 2] = [
    ("Api", "ServerlessRestApi"),
    ("HttpApi", "ServerlessHttpApi"),
];

static NOTHING: Node = Node {
    line: 1,
    value: Value::Map(Vec::new()),
};

pub(super) fn read(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (kind, id) in IMPLICIT {
        let place = reading.globals.unwrap_or(&NOTHING);
        if events(reading).any(|(_, event, _, named)| event == kind && named == id) {
            let api = match kind {
                "Api" => rest(reading, id, place, &NOTHING),
                _ => http(reading, id, place, &NOTHING),
            };
            wiring.apis.push(api);
        }
    }
    for (id, resource, properties) in reading.of("AWS::Serverless::Api") {
        let api = rest(reading, id, resource, properties);
        wiring.apis.push(api);
    }
    for (id, resource, properties) in reading.of("AWS::Serverless::HttpApi") {
        let api = http(reading, id, resource, properties);
        wiring.apis.push(api);
    }
    for (function, _, event, named) in events(reading) {
        if let Some(api) = wiring.apis.iter_mut().find(|api| api.id == named) {
            let auth = auth_of(reading, &api.id, api.kind);
            openapi::add(api, route(event, function, auth));
        }
    }
}

/// Every event that is a route: its function, its type, where it stands, and the API that it names.
fn events<'t>(
    reading: &Reading<'t>,
) -> impl Iterator<Item = (&'t str, &'t str, &'t Node, &'t str)> {
    let functions = reading.of("AWS::Serverless::Function");
    functions.flat_map(|(function, _, properties)| {
        let events = properties.get("Events").map_or(&[][..], Node::members);
        events.iter().filter_map(move |(_, event)| {
            let kind = event.get("Type").and_then(Node::text)?;
            let (kind, implicit) = IMPLICIT.into_iter().find(|(known, _)| *known == kind)?;
            let of_api = if kind == "Api" { "RestApiId" } else { "ApiId" };
            let named = event.at(&["Properties", of_api]);
            let named = match named {
                None => implicit,
                Some(node) => node.text().and_then(referenced)?,
            };
            Some((function, kind, event, named))
        })
    })
}

/// What an API says of authorizers.
fn auth_of<'t>(reading: &Reading<'t>, api: &str, kind: ApiKind) -> Option<&'t Node> {
    let (kind, global) = match kind {
        ApiKind::Rest => ("AWS::Serverless::Api", "Api"),
        ApiKind::Http => ("AWS::Serverless::HttpApi", "HttpApi"),
    };
    let found = reading.of(kind).find(|(id, ..)| *id == api);
    let properties = found.map_or(&NOTHING, |(_, _, properties)| properties);
    reading.setting(properties, global, "Auth")
}

fn default(auth: Option<&Node>) -> Guard {
    if auth.is_some_and(is_unknown) {
        return Guard::Unknown;
    }
    let Some(named) = auth.and_then(|auth| auth.get("DefaultAuthorizer")) else {
        return Guard::Nobody;
    };
    guard(auth, named)
}

/// What a name stands for: one of the authorizers of the API that are functions, or something else.
fn guard(auth: Option<&Node>, named: &Node) -> Guard {
    let Some(name) = named.text() else {
        return Guard::Unknown;
    };
    let all = auth.and_then(|auth| auth.get("Authorizers"));
    let found = all.and_then(|all| all.get(name));
    match (name, found) {
        ("NONE", _) => Guard::Nobody,
        ("AWS_IAM" | "AWS_CUSTOM", _) => Guard::Other,
        (_, Some(found)) if found.get("FunctionArn").is_some() => {
            Guard::Authorizer(name.to_owned())
        }
        (_, Some(_)) => Guard::Other,
        (_, None) if all.is_some_and(is_unknown) => Guard::Unknown,
        (_, None) => Guard::Missing(name.to_owned()),
    }
}

fn route(event: &Node, function: &str, auth: Option<&Node>) -> Route {
    let said = event.get("Properties").unwrap_or(&NOTHING);
    let text = |name: &str| said.get(name).and_then(Node::text);
    let own = said.at(&["Auth", "Authorizer"]);
    let guard = match own {
        None => default(auth),
        Some(named) => guard(auth, named),
    };
    Route {
        method: text("Method").unwrap_or("any").to_ascii_uppercase(),
        path: text("Path").unwrap_or("$default").to_owned(),
        line: event.line,
        guard,
        backend: Some(function.to_owned()),
        needs_key: truth(said.at(&["Auth", "ApiKeyRequired"]), false) != Some(false),
    }
}

fn rest(reading: &Reading<'_>, id: &str, resource: &Node, properties: &Node) -> Api {
    let setting = |name: &str| reading.setting(properties, "Api", name);
    let auth = setting("Auth");
    let cors = setting("Cors").map(|node| node.line);
    let guards = auth.and_then(|auth| auth.get("AddDefaultAuthorizerToCorsPreflight"));
    let default = default(auth);
    let is_guarded = matches!(default, Guard::Authorizer(_)) && truth(guards, true) != Some(false);
    let mut api = Api {
        id: id.to_owned(),
        kind: ApiKind::Rest,
        line: resource.line,
        authorizers: Vec::new(),
        routes: Vec::new(),
        cors,
        guarded_preflight: cors.filter(|_| is_guarded),
        responses: std::collections::BTreeMap::new(),
        key_by_authorizer: match setting("ApiKeySourceType") {
            None => Some(false),
            Some(node) => node.text().map(|source| source == "AUTHORIZER"),
        },
        default_endpoint_closed: truth(setting("DisableExecuteApiEndpoint"), false),
    };
    let all = auth.and_then(|auth| auth.get("Authorizers"));
    for (name, node) in all.map_or(&[][..], Node::members) {
        api.authorizers.extend(of_rest(name, node));
    }
    if let Some(document) = setting("DefinitionBody") {
        openapi::read(document, &mut api, &default);
    }
    let responses = setting("GatewayResponses").map_or(&[][..], Node::members);
    for (kind, node) in responses {
        let headers = node.at(&["ResponseParameters", "Headers"]);
        api.responses.insert(
            kind.clone(),
            Response {
                line: node.line,
                status: node.get("StatusCode").and_then(openapi::text),
                headers: headers
                    .map_or(&[][..], Node::members)
                    .iter()
                    .map(|(name, _)| name.to_ascii_lowercase())
                    .collect(),
            },
        );
    }
    let needs_key = auth.and_then(|auth| auth.get("ApiKeyRequired"));
    if truth(needs_key, false) != Some(false) {
        api.routes
            .iter_mut()
            .for_each(|route| route.needs_key = true);
    }
    api
}

fn of_rest(name: &str, node: &Node) -> Option<Authorizer> {
    let function = node.get("FunctionArn")?;
    let identity = node.get("Identity");
    let kind = node.get("FunctionPayloadType");
    let form = match kind.map(|kind| kind.text().unwrap_or_default()) {
        None | Some("TOKEN") => Form::RestToken,
        Some("REQUEST") => Form::RestRequest,
        Some(_) => Form::Unknown,
    };
    let sources = if form == Form::RestToken {
        let header = identity.and_then(|identity| identity.get("Header")?.text());
        vec![Source::Header(
            header.unwrap_or("authorization").to_ascii_lowercase(),
        )]
    } else {
        Source::of_sam(identity)
    };
    let denied = truth(node.get("DisableFunctionDefaultPermissions"), false);
    Some(Authorizer {
        name: name.to_owned(),
        line: node.line,
        form,
        sources,
        ttl: ttl(
            identity.and_then(|identity| identity.get("ReauthorizeEvery")),
            node.line,
        ),
        function: function.text().and_then(referenced).map(str::to_owned),
        is_permitted: denied != Some(true) || node.get("FunctionInvokeRole").is_some(),
    })
}

fn http(reading: &Reading<'_>, id: &str, resource: &Node, properties: &Node) -> Api {
    let setting = |name: &str| reading.setting(properties, "HttpApi", name);
    let auth = setting("Auth");
    let cors = setting("CorsConfiguration");
    let mut api = Api {
        id: id.to_owned(),
        kind: ApiKind::Http,
        line: resource.line,
        authorizers: Vec::new(),
        routes: Vec::new(),
        cors: cors.filter(|node| !is_unknown(node)).map(|node| node.line),
        // HTTP APIs answer preflight requests before any authorizer where CORS is configured.
        guarded_preflight: None,
        responses: std::collections::BTreeMap::new(),
        key_by_authorizer: Some(false),
        default_endpoint_closed: truth(setting("DisableExecuteApiEndpoint"), false),
    };
    let all = auth.and_then(|auth| auth.get("Authorizers"));
    for (name, node) in all.map_or(&[][..], Node::members) {
        api.authorizers.extend(of_http(name, node));
    }
    if let Some(document) = setting("DefinitionBody") {
        openapi::read(document, &mut api, &default(auth));
    }
    api
}

fn of_http(name: &str, node: &Node) -> Option<Authorizer> {
    let function = node.get("FunctionArn")?;
    let identity = node.get("Identity");
    let payload = node.get("AuthorizerPayloadFormatVersion");
    let permitted = truth(node.get("EnableFunctionDefaultPermissions"), false);
    Some(Authorizer {
        name: name.to_owned(),
        line: node.line,
        form: openapi::form(
            payload.and_then(Node::text),
            node.get("EnableSimpleResponses"),
        ),
        sources: Source::of_sam(identity),
        ttl: ttl(
            identity.and_then(|identity| identity.get("ReauthorizeEvery")),
            node.line,
        ),
        function: function.text().and_then(referenced).map(str::to_owned),
        is_permitted: permitted == Some(true) || node.get("FunctionInvokeRole").is_some(),
    })
}
