"""cognito-local, a stand-in for Amazon Cognito, with a user pool, a client and a user."""

import os
import tempfile

from . import E2E
from .process import Process, free_port
from .tables import client

PASSWORD = "Correct-horse-7"


class CognitoLocal(Process):
    """Ready when the pool exists; `issuer` and `client_id` are what the authorizer must be told."""

    def __init__(self):
        port = free_port()
        # It keeps its data in the working folder.
        self.folder = tempfile.TemporaryDirectory(prefix="doorward-cognito-")
        env = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port)}
        command = ["node", E2E / "node_modules" / "cognito-local" / "lib" / "bin" / "start.js"]
        super().__init__("cognito", command, env, self.folder.name)
        self.until_listening(port)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.api = client("cognito-idp", self.endpoint)
        self.pool = self.api.create_user_pool(PoolName="doorward")["UserPool"]["Id"]
        app = self.api.create_user_pool_client(
            UserPoolId=self.pool, ClientName="app", ExplicitAuthFlows=["USER_PASSWORD_AUTH"]
        )
        self.client_id = app["UserPoolClient"]["ClientId"]
        self.issuer = f"{self.endpoint}/{self.pool}"
        self.jwks_uri = f"{self.issuer}/.well-known/jwks.json"

    def stop(self, seconds=10):
        super().stop(seconds)
        self.folder.cleanup()

    def sign_in(self, email, groups):
        """A user's tokens: `AccessToken` and `IdToken`."""
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        self.api.admin_create_user(UserPoolId=self.pool, Username=email, UserAttributes=attributes, MessageAction="SUPPRESS")
        self.api.admin_set_user_password(UserPoolId=self.pool, Username=email, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.api.create_group(UserPoolId=self.pool, GroupName=group)
            self.api.admin_add_user_to_group(UserPoolId=self.pool, Username=email, GroupName=group)
        answer = self.api.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )
        return answer["AuthenticationResult"]
