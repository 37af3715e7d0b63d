"""User pools of Amazon Cognito, and cognito-local, which stands in for it."""

import os
import tempfile

from . import E2E
from .process import Process, free_port
from .tables import client

PASSWORD = "Correct-horse-7"


class Pool:
    """A new user pool with a client, at the API `api`; `issuer` gives the `iss` of its tokens by its id, `keys` the address
    below which its keys lie."""

    def __init__(self, api, name, issuer, keys):
        self._api = api
        self.id = api.create_user_pool(PoolName=name)["UserPool"]["Id"]
        self.client_id = self.new_client("app")
        self.issuer = issuer(self.id)
        self.jwks_uri = f"{keys}/{self.id}/.well-known/jwks.json"

    def new_client(self, name):
        """Another client of the pool; its id."""
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        app = self._api.create_user_pool_client(UserPoolId=self.id, ClientName=name, ExplicitAuthFlows=flows)
        return app["UserPoolClient"]["ClientId"]

    def new_user(self, email, groups):
        """A user with a password, in groups."""
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        user = {"UserPoolId": self.id, "Username": email}
        self._api.admin_create_user(**user, UserAttributes=attributes, MessageAction="SUPPRESS")
        self._api.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
        for group in groups:
            self._api.create_group(UserPoolId=self.id, GroupName=group)
            self._api.admin_add_user_to_group(**user, GroupName=group)

    def sign_in(self, email, client_id=None):
        """A user's tokens: `AccessToken` and `IdToken`."""
        answer = self._api.initiate_auth(
            ClientId=client_id or self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )
        return answer["AuthenticationResult"]


class CognitoLocal(Process):
    """Ready when its `pool` exists."""

    def __init__(self):
        port = free_port()
        # It keeps its data in the working folder.
        self.folder = tempfile.TemporaryDirectory(prefix="doorward-cognito-")
        env = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port)}
        command = ["node", E2E / "node_modules" / "cognito-local" / "lib" / "bin" / "start.js"]
        super().__init__("cognito", command, env, self.folder.name)
        self.until_listening(port)
        endpoint = f"http://127.0.0.1:{port}"
        self.pool = Pool(client("cognito-idp", endpoint), "doorward", lambda pool: f"{endpoint}/{pool}", endpoint)

    def stop(self, seconds=10):
        super().stop(seconds)
        self.folder.cleanup()
