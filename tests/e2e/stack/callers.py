"""Callers of the REST and the HTTP API, on every route."""

from harness import limits, requests
from harness.keys import create_key

# MiniStack answers 500 to every error of an authorizer of an HTTP API, `Unauthorized` or not.
REFUSED = {"RestApi": 401, "HttpApi": 500}


def check(checks, stack, provider, api):
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])
    wanted = requests.requests(key, provider, api, f"caller of {api}")

    def status(request):
        # The key has an answer in the cache by then, which does not open the route: 403, and nobody is asked.
        if request.name == "a key where a token is wanted":
            return 403
        return REFUSED[api] if request.error else request.status

    requests.send(checks, api, wanted, lambda *request: stack.ask(api, *request), status)
    limits.used_up(checks, api, provider, lambda token: stack.ask_with(api, "POST", "/orders", token))


def refusals(checks, stack, provider):
    """What a caller is told who is not let in."""
    reader = provider.user_token("rs256", "ann", "read")
    bodies = {
        "RestApi": ({"message": "Unauthorized"}, {"message": "Forbidden"}),
        "HttpApi": ({"message": "Unauthorized"}, {"message": "Forbidden"}),
    }
    for api, expected in bodies.items():
        answers = stack.ask(api, "GET", "/orders"), stack.ask_with(api, "POST", "/orders", reader)
        came = tuple(answer.json() for answer in answers)
        statuses = [answer.status for answer in answers]
        checks.equal(f"{api}: bodies of {statuses}: {came}", (statuses, came), ([401, 403], expected))
    refused = stack.ask("RestApi", "GET", "/orders")
    checks.equal("RestApi: 401 says which scheme is wanted", refused.headers.get("www-authenticate"), "Bearer")
    checks.equal("RestApi: a page may read the refusal", refused.headers.get("access-control-allow-origin"), "*")
    denied = stack.ask_with("RestApi", "POST", "/orders", reader)
    checks.equal("RestApi: a page may read a 403 too", denied.headers.get("access-control-allow-origin"), "*")
