"""The configuration under which the suites run the functions, and the issuers that come into it."""

from .oidc import AUDIENCE

KEYS = """
[api_keys]
prefix = "ck"
environments = ["test"]
cache_seconds = 1
negative_cache_seconds = 1
"""


# What is over it is answered by the echo, as template.yaml is set up.
WRITES = 3
LIMITS = f"""
[limits.writes]
limit = {WRITES}
per = "hour"

[answers]
rate_limited = "backend"
"""


def route(key, credentials, scope, limit=None):
    """A route that `credentials` open (several with commas) to those who have the scope, as often as the limit lets them."""
    kinds = ", ".join(f'"{kind.strip()}"' for kind in credentials.split(","))
    limits = f'limits = ["{limit}"]' if limit else ""
    return f"""
[[routes]]
route = "{key}"
credentials = [{kinds}]
scopes = ["{scope}"]
{limits}
"""


def routes(limit_of_writes=None):
    """The routes of template.yaml."""
    return "".join(
        (
            route("GET /orders", "jwt, api_key", "read"),
            route("POST /orders", "jwt, api_key", "write", limit_of_writes),
            route("GET /orders/{id}", "jwt, api_key", "read"),
            route("GET /admin", "jwt", "admin"),
        )
    )


KEYS_AND_ROUTES = KEYS + routes()
# As deployed: the table of counters is there.
KEYS_LIMITS_AND_ROUTES = KEYS + LIMITS + routes("writes")


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


def introspection(provider, name, client, url=None, more=""):
    """A server that knows opaque tokens, asked as `client`; and a route of its name that asks it."""
    return f"""
[[introspection]]
name = "{name}"
issuer = "{provider.issuer}"
endpoint = "{url or provider.url}/token/introspection"
audiences = ["{AUDIENCE}opaque", "{AUDIENCE}brief"]
cache_seconds = 1
negative_cache_seconds = 0
danger_allow_http = true
client = {{ {client} }}
{more}
[[routes]]
route = "GET /{name}"
credentials = ["opaque"]
introspection = "{name}"
scopes = ["read"]
"""


def bound():
    """Proofs are accepted, and nothing is kept of what rests on them; a route for tokens of either kind."""
    return """
[dpop]

[policy]
gateway_cache = "off"

[[routes]]
route = "GET /bound"
credentials = ["jwt", "opaque"]
scopes = ["read"]
"""


def exchange(provider, server, client):
    """A route that swaps the tokens of `server` for those that a backend takes."""
    return f"""
[[exchanges]]
name = "backend"
token_endpoint = "{provider.url}/token"
resources = ["{AUDIENCE}es256"]
danger_allow_http = true
client = {{ {client} }}

[[routes]]
route = "GET /swap"
credentials = ["opaque"]
introspection = "{server}"
exchange = "backend"
"""


def cognito(pool, profile):
    """The tokens of a pool of Cognito: `cognito_access` or `cognito_id`."""
    return f"""
[[issuers]]
name = "{profile}"
issuer = "{pool.issuer}"
jwks_uri = "{pool.jwks_uri}"
algorithms = ["RS256"]
profile = "{profile}"
client_ids = ["{pool.client_id}"]
danger_allow_http = true
"""


# Cognito's scopes are its own, so groups decide.
REPORTS = """
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
