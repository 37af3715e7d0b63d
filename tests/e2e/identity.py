"""Tokens of real providers: npm oidc-provider (RS256 and ES256, before and after a key rotation) and cognito-local (access
and id tokens), against the released authorizer under the runtime emulator."""

import pathlib
import tempfile
import time

from harness import config, events, policy
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


def of_cognito(checks, folder):
    with CognitoLocal() as pool:
        tokens = pool.sign_in("ann@example.com", ["analysts"])
        reports = ("GET /reports", "DELETE /reports")
        for profile, right, wrong in (
            ("cognito_access", "AccessToken", "IdToken"),
            ("cognito_id", "IdToken", "AccessToken"),
        ):
            path = config.write(folder, config.KEYS_AND_ROUTES, config.cognito(pool, profile))
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
        of_cognito(checks, pathlib.Path(folder))
    checks.close()


if __name__ == "__main__":
    main()
