"""Starts MiniStack with what it lacks to take a SAM template whole.

SAM writes methods, authorizers and gateway responses into the OpenAPI body of an API. MiniStack 1.5.33 reads REST methods
(but not ANY) and authorizers out of it, and skips gateway responses and the whole of an HTTP API, which then answers 404
everywhere. This adds them through private functions of MiniStack: its version is pinned.
"""

from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import provisioners as cloudformation

ANY = "x-amazon-apigateway-any-method"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
AUTHORIZER = "x-amazon-apigateway-authorizer"
INTEGRATION = "x-amazon-apigateway-integration"

_import_operation, _import_rest_api = rest._import_operation, rest._import_rest_api


def import_operation(api, resource, method, *args, **kwargs):
    return _import_operation(api, resource, _verb(method), *args, **kwargs)


def import_rest_api(spec, base=None):
    api = _import_rest_api(spec, base)
    for kind, response in (spec.get(GATEWAY_RESPONSES) or {}).items():
        response = dict(response)
        if "statusCode" in response:
            response["statusCode"] = str(response["statusCode"])
        rest._put_gateway_response(api, kind, response)
    return api


def import_http_api(api, body, stack):
    schemes = (body.get("components") or {}).get("securitySchemes") or {}
    authorizers = {
        name: _authorizer(api, name, scheme[AUTHORIZER], stack) for name, scheme in schemes.items() if AUTHORIZER in scheme
    }
    for path, operations in (body.get("paths") or {}).items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and INTEGRATION in operation:
                _route(api, path, method, operation, body, authorizers, stack)


def _authorizer(api, name, spec, stack):
    sources = spec.get("identitySource")
    properties = {
        "ApiId": api,
        "Name": name,
        "AuthorizerType": spec["type"].upper(),
        "AuthorizerUri": spec.get("authorizerUri"),
        "IdentitySource": [part.strip() for part in sources.split(",")] if isinstance(sources, str) else sources,
        "AuthorizerPayloadFormatVersion": spec.get("authorizerPayloadFormatVersion"),
        "EnableSimpleResponses": spec.get("enableSimpleResponses"),
        "AuthorizerResultTtlInSeconds": spec.get("authorizerResultTtlInSeconds"),
    }
    properties = {key: value for key, value in properties.items() if value is not None}
    physical, attributes = cloudformation._apigw_v2_authorizer_create(name, properties, stack)
    return attributes.get("AuthorizerId") or physical.split("/")[-1]


def _route(api, path, method, operation, body, authorizers, stack):
    spec = operation[INTEGRATION]
    integration = {
        "ApiId": api,
        "IntegrationType": spec["type"].upper(),
        "IntegrationUri": spec["uri"],
        "IntegrationMethod": spec.get("httpMethod", "POST"),
        "PayloadFormatVersion": str(spec.get("payloadFormatVersion", "2.0")),
    }
    integration_id, _ = cloudformation._apigw_v2_integration_create("i", integration, stack)
    key = "$default" if path == "/$default" else f"{_verb(method).upper()} {path}"
    route = {"ApiId": api, "Target": f"integrations/{integration_id}", "RouteKey": key}
    security = operation["security"] if operation.get("security") is not None else body.get("security") or []
    named = [name for requirement in security for name in requirement if name in authorizers]
    if named:
        route |= {"AuthorizerId": authorizers[named[0]], "AuthorizationType": "CUSTOM"}
    cloudformation._apigw_v2_route_create("r", route, stack)


def _verb(method):
    return "ANY" if method.lower() == ANY else method


rest._OPENAPI_HTTP_METHODS.add(ANY)
rest._import_operation = import_operation
rest._import_rest_api = import_rest_api

_handler = cloudformation._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
_create = _handler["create"]


def create_http_api(logical_id, properties, stack):
    physical, attributes = _create(logical_id, properties, stack)
    if isinstance(properties.get("Body"), dict):
        import_http_api(physical, properties["Body"], stack)
    return physical, attributes


_handler["create"] = create_http_api

if __name__ == "__main__":
    from ministack.app import main

    main()
