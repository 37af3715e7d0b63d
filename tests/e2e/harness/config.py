"""The configuration under which the suites run the functions, and the issuers that come into it."""

from .oidc import AUDIENCE

KEYS_AND_ROUTES = """
[api_keys]
prefix = "ck"
environments = ["test"]
cache_seconds = 1
negative_cache_seconds = 1

[[routes]]
route = "GET /orders"
credentials = ["jwt", "api_key"]
scopes = ["read"]

[[routes]]
route = "POST /orders"
credentials = ["jwt", "api_key"]
scopes = ["write"]

[[routes]]
route = "GET /orders/{id}"
credentials = ["jwt", "api_key"]
scopes = ["read"]

[[routes]]
route = "GET /admin"
credentials = ["jwt"]
scopes = ["admin"]
"""


def oidc(provider):
    """An issuer that may rotate its keys every second."""
    return f"""
[[issuers]]
name = "provider"
issuer = "{provider.issuer}"
jwks_uri = "{provider.jwks_uri}"
algorithms = ["RS256", "ES256"]
audiences = ["{AUDIENCE}rs256", "{AUDIENCE}es256"]
danger_allow_http = true
context = {{ department = "department" }}

[issuers.claims]
tenant = "tenant"

[issuers.key_set]
cool_down_seconds = 1
"""


def cognito(pool, profile):
    """Cognito's tokens: `cognito_access` or `cognito_id`. Its scopes are its own, so groups decide."""
    return f"""
[[issuers]]
name = "cognito"
issuer = "{pool.issuer}"
jwks_uri = "{pool.jwks_uri}"
algorithms = ["RS256"]
profile = "{profile}"
client_ids = ["{pool.client_id}"]
danger_allow_http = true

[[routes]]
route = "GET /reports"
credentials = ["jwt"]
roles = ["analysts"]

[[routes]]
route = "DELETE /reports"
credentials = ["jwt"]
roles = ["owners"]
"""


def write(folder, *parts):
    """Puts the parts into `doorward.toml` of a folder; gives its path."""
    path = folder / "doorward.toml"
    path.write_text("".join(parts))
    return path
