"""Tokens of real providers against the released authorizer under the runtime emulator: npm oidc-provider (RS256 and ES256,
before and after a key rotation; opaque tokens by introspection with each client authentication, and their exchange) and
cognito-local (access and id tokens)."""

import base64
import json
import pathlib
import tempfile
import time

from harness import config, events, policy
from harness.certificates import Certificates
from harness.checks import Checks
from harness.cognito import CognitoLocal
from harness.oidc import Oidc
from harness.runtime import under_emulator

ORDERS = ("GET /orders", "GET /orders/7", "POST /orders", "GET /admin")
ALGORITHMS = ("rs256", "es256")


def rights(answer, routes=ORDERS):
    """The routes that an answer opens; a refusal reads as its error."""
    if "policyDocument" not in answer:
        return answer.get("errorMessage", answer)
    return [route for route in routes if policy.allows(answer["policyDocument"], events.arn(route))]


def of_provider(checks, folder):
    with Oidc() as provider:
        path = config.write(folder, config.KEYS_AND_ROUTES, config.oidc(provider))
        with under_emulator("authorizer", {"DOORWARD_CONFIG": str(path), "DOORWARD_KEYS_TABLE": "unused"}) as authorizer:

            def asked(route, token):
                return authorizer.invoke(events.bearer(route, token))

            old = {}
            for alg in ALGORITHMS:
                token = old[alg] = provider.user_token(alg, "ann", "read write", tenant="acme", department="sales")
                answer = asked("GET /orders/7", token)
                checks.equal(f"{alg}: a user's token opens what its scopes allow", rights(answer), list(ORDERS[:3]))
                context = answer.get("context", {})
                known = {name: context.get(name) for name in ("subject", "issuer", "tenant", "department", "clientId")}
                expected = {
                    "subject": "ann",
                    "issuer": provider.issuer,
                    "tenant": "acme",
                    "department": "sales",
                    "clientId": "app",
                }
                checks.equal(f"{alg}: the backend is told who called", known, expected)
                checks.that(f"{alg}: the answer does not hold the token", token not in str(answer))

                machine = provider.client_token(alg, "admin")
                checks.equal(
                    f"{alg}: a client's own token is accepted", rights(asked("GET /admin", machine)), ["GET /admin"]
                )
                denied = asked("POST /orders", provider.client_token(alg, "read"))
                checks.equal(f"{alg}: a token without the scope is denied", "POST /orders" in rights(denied), False)

            for alg in ALGORITHMS:
                provider.rotate(alg.upper(), keep=True)
                time.sleep(1.1)
                fresh = provider.user_token(alg, "bob", "read")
                checks.equal(
                    f"{alg}: a token of the new key is accepted", rights(asked("GET /orders", fresh)), list(ORDERS[:2])
                )
                checks.equal(
                    f"{alg}: a token of the key before is still accepted",
                    rights(asked("GET /orders", old[alg])),
                    list(ORDERS[:3]),
                )

            provider.rotate("RS256", keep=False)
            time.sleep(1.1)
            fresh = provider.user_token("rs256", "eve", "read")
            checks.equal(
                "rs256: a token of the third key is accepted", rights(asked("GET /orders", fresh)), list(ORDERS[:2])
            )
            checks.equal(
                "rs256: a token of a withdrawn key is refused",
                rights(asked("GET /orders", old["rs256"])),
                "Unauthorized",
            )

            ps256 = asked("GET /orders", provider.user_token("ps256", "ann", "read"))
            checks.equal("ps256: an algorithm that is not configured is refused", rights(ps256), "Unauthorized")
            forged = fresh[:-6] + ("AAAAAA" if not fresh.endswith("AAAAAA") else "BBBBBB")
            checks.equal("rs256: a changed signature is refused", rights(asked("GET /orders", forged)), "Unauthorized")

            before = provider.hits("/jwks")
            for number in range(30):
                asked("GET /orders", provider.user_token("es256", f"user-{number}", "read"))
            checks.equal("thirty tokens of known keys fetch no key set", provider.hits("/jwks") - before, 0)


def of_servers(checks, folder):
    tls = Certificates(folder)
    with Oidc(tls=tls) as provider:
        basic = 'id = "gate-basic", secret = "env:DOORWARD_SECRET_CLIENT", previous_secret = "env:DOORWARD_SECRET_BEFORE"'
        post = 'id = "gate-post", auth = "client_secret_post", secret = "env:DOORWARD_SECRET_BEFORE"'
        wrong = 'id = "gate-post", auth = "client_secret_post", secret = "env:DOORWARD_SECRET_CLIENT"'
        key = 'id = "gate-jwt", auth = "private_key_jwt", private_key = "env:DOORWARD_SECRET_KEY"'
        key += ', algorithm = "ES256", key_id = "gate"'
        certificate = 'id = "gate-mtls", auth = "tls_client_auth", private_key = "env:DOORWARD_SECRET_TLS"'
        certificate += ', certificate_file = "gate.pem"'
        signed = f'signed = true\nalgorithms = ["RS256"]\njwks_uri = "{provider.jwks_uri}"\n'
        path = config.write(
            folder,
            config.introspection(provider, "basic", basic, more="default = true\n"),
            config.introspection(provider, "post", post),
            config.introspection(provider, "jwt", key),
            config.introspection(provider, "mtls", certificate, provider.tls_url, 'ca_file = "ca.pem"\n'),
            config.introspection(provider, "signed", post, more=signed),
            config.introspection(provider, "wrong", wrong),
            config.exchange(provider, "basic", post),
        )
        env = {
            "DOORWARD_CONFIG": str(path),
            "DOORWARD_SECRET_CLIENT": "a new secret: +%&",
            "DOORWARD_SECRET_BEFORE": "secret",
            "DOORWARD_SECRET_KEY": provider.client_key(),
            "DOORWARD_SECRET_TLS": tls.client.key.read_text(),
        }
        with under_emulator("authorizer", env) as authorizer:
            asked_of_servers(checks, provider, authorizer)


def asked_of_servers(checks, provider, authorizer):
    def asked(name, token):
        return authorizer.invoke(events.bearer(f"GET /{name}", token))

    def opens(name, token):
        return rights(asked(name, token), [f"GET /{name}"])

    def seen(text):
        return text in authorizer.process.output()

    def comes(text):
        """Whether the line with it comes: a line is written after its answer."""
        return authorizer.process.until(lambda: seen(text), 5)

    methods = ("basic", "post", "jwt", "mtls", "signed")
    token = provider.user_token("opaque", "ann", "read write")
    for name in methods:
        checks.equal(f"{name}: an active token opens what its scopes allow", opens(name, token), [f"GET /{name}"])
        checks.equal(f"{name}: an unknown token is refused", opens(name, "no-such-token"), "Unauthorized")
    context = asked("basic", token).get("context", {})
    known = {name: context.get(name) for name in ("credential", "subject", "issuer", "clientId", "scopes")}
    expected = {
        "credential": "opaque",
        "subject": "ann",
        "issuer": provider.issuer,
        "clientId": "app",
        "scopes": "read write",
    }
    checks.equal("the backend is told who called", known, expected)
    machine = provider.client_token("opaque", "read")
    checks.equal("a client's own token is accepted", opens("basic", machine), ["GET /basic"])
    poor = asked("basic", provider.user_token("opaque", "ann", "write"))
    checks.equal("a token without the scope is denied", rights(poor, ["GET /basic"]), [])

    checks.that("a refusal of the client is no refusal of the token", opens("wrong", token) != "Unauthorized")
    checks.that("the log says that the client was refused", comes("introspection_refused"))
    before = provider.hits("/token/introspection")
    for _ in range(3):
        asked("basic", token)
    checks.that("a token seen a moment ago is not asked about each time", provider.hits("/token/introspection") - before < 3)

    provider.change_secret("gate-basic", "a new secret: +%&")
    time.sleep(1.1)
    checks.equal("a rotated client secret is taken", opens("basic", token), ["GET /basic"])
    provider.change_secret("gate-post", "another")
    time.sleep(1.1)
    checks.that(
        "a client secret that is no longer good refuses", opens("post", token) not in (["GET /post"], "Unauthorized")
    )
    provider.change_secret("gate-post", "secret")

    swapped = asked("swap", token).get("context", {}).get("downstreamToken", "")
    claims = payload(swapped)
    found = {name: claims.get(name) for name in ("sub", "aud", "client_id")}
    expected = {"sub": "ann", "aud": "https://api.test/es256", "client_id": "gate-post"}
    checks.equal("an opaque token is swapped for a JWT of the backend", found, expected)
    again = asked("swap", token).get("context", {}).get("downstreamToken")
    checks.equal("the swapped token is kept", again, swapped)
    checks.that("the log holds neither token", not seen(swapped) and not seen(token))
    refused = asked("swap", machine)
    checks.equal("a token that the server does not exchange is refused", rights(refused, ["GET /swap"]), [])
    checks.that("the log says why", comes("exchange `backend`: `invalid_grant`"))

    brief = provider.user_token("brief", "ann", "read")
    checks.equal("a token that lives shortly is accepted", opens("basic", brief), ["GET /basic"])
    provider.revoke(token)
    time.sleep(3.1)
    checks.equal("an expired token is refused", opens("basic", brief), "Unauthorized")
    for name in methods:
        checks.equal(f"{name}: a revoked token is refused", opens(name, token), "Unauthorized")


def payload(token):
    """The claims of a JWT, unverified; none where it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))


def of_cognito(checks, folder):
    with CognitoLocal() as server:
        pool = server.pool
        pool.new_user("ann@example.com", ["analysts"])
        tokens = pool.sign_in("ann@example.com")
        reports = ("GET /reports", "DELETE /reports")
        for profile, right, wrong in (
            ("cognito_access", "AccessToken", "IdToken"),
            ("cognito_id", "IdToken", "AccessToken"),
        ):
            path = config.write(folder, config.KEYS_AND_ROUTES, config.cognito(pool, profile), config.REPORTS)
            with under_emulator("authorizer", {"DOORWARD_CONFIG": str(path), "DOORWARD_KEYS_TABLE": "unused"}) as authorizer:
                answer = authorizer.invoke(events.bearer("GET /reports", tokens[right]))
                checks.equal(f"{profile}: the token opens what its groups allow", rights(answer, reports), ["GET /reports"])
                denied = authorizer.invoke(events.bearer("DELETE /reports", tokens[right]))
                checks.equal(
                    f"{profile}: another group's route stays shut", "DELETE /reports" in rights(denied, reports), False
                )
                other = authorizer.invoke(events.bearer("GET /reports", tokens[wrong]))
                checks.equal(f"{profile}: the other kind of token is refused", rights(other, reports), "Unauthorized")


def main():
    checks = Checks("identity")
    with tempfile.TemporaryDirectory(prefix="doorward-identity-") as folder:
        of_provider(checks, pathlib.Path(folder))
        of_servers(checks, pathlib.Path(folder))
        of_cognito(checks, pathlib.Path(folder))
    checks.close()


if __name__ == "__main__":
    main()
