"""Tokens: of the Cognito of the emulated AWS, of a provider that changes its keys, and those that are blocked."""

import base64
import json
import time

from harness import cognito, config, requests

from .callers import REFUSED
from .deployed import TTL

ANN = "ann@example.com"
# How old the list of blocks may be, in seconds.
REFRESH = 1
BLOCK_LIST = f"""
[block_list]
refresh_seconds = {REFRESH}
"""


class Pools:
    """Two user pools: of one the access tokens are taken, of the other the id tokens. They are there before the stack, whose
    configuration names them."""

    def __init__(self, api, endpoint):
        self.access, self.id = (cognito.Pool(api, name, _of_amazon, endpoint) for name in ("access", "id"))
        for pool in (self.access, self.id):
            pool.new_user(ANN, ["analysts"])

    def config(self):
        return config.cognito(self.access, "cognito_access") + config.cognito(self.id, "cognito_id")


def _of_amazon(pool):
    """MiniStack names the issuer as AWS does."""
    return f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"


def of_cognito(checks, stack, pools, api):
    """Each kind of token where it is wanted, and where it is not."""
    stranger = pools.access.sign_in(ANN, pools.access.new_client("stranger"))["AccessToken"]
    access, other = pools.access.sign_in(ANN), pools.id.sign_in(ANN)
    told = {"issuer": pools.access.issuer, "clientId": pools.access.client_id, "roles": "analysts"}
    told_by_id = {"issuer": pools.id.issuer, "roles": "analysts", "subject": claims(other["IdToken"])["sub"]}

    def request(name, path, token, status, context=None, error=False):
        return requests.Request(name, "GET", path, {"authorization": f"Bearer {token}"}, status, context or {}, error)

    wanted = [
        request("Cognito, an access token", "/reports", access["AccessToken"], 200, told),
        request("Cognito, an id token", "/reports", other["IdToken"], 200, told_by_id),
        request("Cognito, a route of another scope", "/orders", access["AccessToken"], 403),
        request("Cognito, an id token for an access token", "/reports", access["IdToken"], 401, error=True),
        request("Cognito, an access token for an id token", "/reports", other["AccessToken"], 401, error=True),
        request("Cognito, a token of another client", "/reports", stranger, 401, error=True),
        request("Cognito, a token that was changed", "/reports", requests.changed(access["AccessToken"]), 401, error=True),
    ]
    requests.send(checks, api, wanted, lambda *sent: stack.ask(api, *sent), refusing(api))


def refusing(api):
    return lambda request: REFUSED[api] if request.error else request.status


def rotation(checks, stack, provider):
    """A provider that signs with a new key, with and without the one before."""
    before = provider.user_token("rs256", "ann", "read")
    for keep in (True, False):
        provider.rotate("RS256", keep=keep)
        # `cool_down_seconds` of the configuration.
        time.sleep(1.2)
        fresh = provider.user_token("rs256", "ann", "read")
        came = stack.ask_with("RestApi", "GET", "/orders", fresh).status
        checks.equal(f"a token of a new key: {came}", came, 200)
    # Its key left the set; only now is it shown to the gateway, so that nothing of it is kept.
    came = stack.ask_with("RestApi", "GET", "/orders", before).status
    checks.equal(f"a token of a key that is gone: {came}", came, 401)


def blocked(checks, stack, provider):
    """A token that dies before it expires, while another of the same user lives."""
    lost, other = (provider.user_token("rs256", "ann", "read") for _ in range(2))

    def statuses():
        return [stack.ask_with(api, "GET", "/orders", token).status for api in REFUSED for token in (lost, other)]

    came = statuses()
    checks.equal(f"two tokens of a user, REST and HTTP API: {came}", came, [200] * 4)
    block = {"issuer": provider.issuer, "jti": claims(lost)["jti"], "expiresInSeconds": 3600, "reason": "laptop stolen"}
    answer = stack.ask_signed("POST", "/blocks", block)
    within = answer.json()["effectiveWithinSeconds"]
    checks.equal(
        f"AdminApi: POST /blocks: {answer.status}, counts within {within} s", (answer.status, within), (200, TTL + REFRESH)
    )
    time.sleep(within + 0.5)
    came = statuses()
    checks.equal(f"one of them blocked: {came}", came, [REFUSED["RestApi"], 200, REFUSED["HttpApi"], 200])
    listed = stack.ask_signed("GET", "/blocks")
    checks.equal(f"AdminApi: GET /blocks: {listed.status}", len(listed.json()["blocks"]), 1)
    gone = stack.ask_signed("DELETE", f"/blocks/{answer.json()['block']['id']}")
    time.sleep(TTL + REFRESH + 0.5)
    came = statuses()
    checks.equal(
        f"AdminApi: DELETE /blocks/{{id}}: {gone.status}; the tokens: {came}", (gone.status, came), (200, [200] * 4)
    )


def claims(token):
    """What a token says; nothing is verified."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
