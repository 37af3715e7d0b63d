"""A running OpenID provider, and tokens from it."""

import json
import os
import ssl

from . import E2E
from .process import Process
from .web import ask, form

AUDIENCE = "https://api.test/"


class Oidc(Process):
    """identity/oidc_server.mjs. `seen_as` is the host by which the authorizer reaches it."""

    def __init__(self, host="127.0.0.1", seen_as=None, tls=None):
        command = ["node", E2E / "identity" / "oidc_server.mjs", "--host", host]
        if tls:
            command += ["--cert", tls.server.cert, "--key", tls.server.key, "--client-ca", tls.ca]
        super().__init__("oidc", command, {"PATH": os.environ["PATH"]}, E2E)
        ready = json.loads(self.line_with('{"issuer"'))
        self.url = f"http://{host}:{ready['port']}"
        self.issuer = ready["issuer"]
        self.tls_url = f"https://{host}:{ready['tlsPort']}" if tls else None
        self.jwks_uri = f"http://{seen_as or host}:{ready['port']}/jwks"

    def client_token(self, alg, scope):
        """An RFC 9068 access token of the client itself."""
        return self._token(_of_client(scope, alg))

    def user_token(self, alg, user, scope, **claims):
        """An RFC 9068 access token of a user."""
        fields = {"grant_type": "urn:test:user", "sub": user, "scope": scope, "resource": AUDIENCE + alg}
        return self._token({**fields, "claims": json.dumps(claims)})

    def certificate_token(self, alg, pair, ca):
        """A token of the client `bound-mtls`, bound to the certificate over which it was asked for (RFC 8705 section 3)."""
        tls = ssl.create_default_context(cafile=ca)
        tls.load_cert_chain(pair.cert, pair.key)
        fields = {**_of_client("read", alg), "client_id": "bound-mtls"}
        return _accepted(form(f"{self.tls_url}/token", fields, tls=tls), fields)

    def dpop_token(self, alg, key):
        """A token of the client `bound-dpop`, bound to `key`. The provider wants a nonce of its own first, which it gives
        with a refusal (RFC 9449 section 8); the two answers."""
        fields, address = _of_client("read", alg), f"{self.url}/token"

        def asked(**claims):
            headers = {"DPoP": key.proof("POST", address, **claims)}
            return form(address, fields, "bound-dpop", "secret", headers)

        refused = asked()
        return refused, _accepted(asked(nonce=refused.headers.get("dpop-nonce")), fields)

    def rotate(self, alg, keep):
        """A new signing key; `keep=False` takes the old one out of the key set."""
        return ask("POST", f"{self.url}/_test/rotate", data={"alg": alg, "keep": keep}).json()

    def revoke(self, token):
        """Takes a token of `app` back."""
        return form(f"{self.url}/token/revocation", {"token": token}, "app", "secret").status

    def change_secret(self, client, secret):
        return ask("POST", f"{self.url}/_test/secret", data={"client": client, "secret": secret}).status

    def client_key(self):
        """The private key with which `gate-jwt` proves who it is."""
        return ask("GET", f"{self.url}/_test/client_key").json()["pem"]

    def hits(self, path):
        return ask("GET", f"{self.url}/_test/hits").json().get(path, 0)

    def _token(self, fields):
        return _accepted(form(f"{self.url}/token", fields, "app", "secret"), fields)


def _of_client(scope, alg):
    return {"grant_type": "client_credentials", "scope": scope, "resource": AUDIENCE + alg}


def _accepted(answer, fields):
    if answer.status != 200:
        raise RuntimeError(f"no token for {fields}: {answer.status} {answer.text}")
    return answer.json()["access_token"]
