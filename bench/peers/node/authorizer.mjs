// An authorizer as it is written at home in Node: aws-jwt-verify for tokens, the DynamoDB client for keys, with memories for both.
import { createHash } from "node:crypto";
import { JwtVerifier } from "aws-jwt-verify";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";

const issuer = process.env.ISSUER;
const verifier = JwtVerifier.create([{ issuer, audience: "api", jwksUri: `${issuer}/keys` }]);
// The key set is here from the start, which spares it the fetch.
verifier.cacheJwks(JSON.parse(process.env.KEY_SET), issuer);
const dynamo = new DynamoDBClient({ maxAttempts: 2 });
const known = new Map();
const KEPT_MS = 60_000;

async function scopesOfKey(key) {
  const digest = createHash("sha256").update(key).digest("hex");
  const now = Date.now();
  const entry = known.get(digest);
  if (entry && entry.until > now) return entry.scopes;
  const got = await dynamo.send(
    new GetItemCommand({
      TableName: process.env.KEYS_TABLE,
      Key: { pk: { S: `key#${digest}` }, sk: { S: "key" } },
      ConsistentRead: false,
    }),
  );
  const item = got.Item;
  const isGood = item?.status?.S === "active" && Number(item.expires_at?.N ?? Infinity) > now / 1000;
  const scopes = isGood ? (item.scopes?.L ?? []).map((scope) => scope.S) : null;
  if (known.size > 10_000) known.clear();
  known.set(digest, { scopes, until: now + KEPT_MS });
  return scopes;
}

function answer(effect, principal, resource) {
  return {
    principalId: principal,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: effect, Action: "execute-api:Invoke", Resource: resource }],
    },
    context: { subject: principal },
  };
}

export async function handler(event) {
  const authorization = event.headers.authorization ?? "";
  const [scheme, credential] = authorization.split(" ", 2);
  if (process.env.DENIED_ADDRESS === event.requestContext.identity.sourceIp) {
    return answer("Deny", "nobody", event.methodArn);
  }
  if (scheme === "Bearer") {
    let claims;
    try {
      claims = await verifier.verify(credential);
    } catch {
      throw new Error("Unauthorized");
    }
    const isAllowed = (claims.scope ?? "").split(" ").includes("orders:read");
    return answer(isAllowed ? "Allow" : "Deny", claims.sub, event.methodArn);
  }
  const scopes = scheme === "ApiKey" ? await scopesOfKey(credential) : null;
  if (!scopes) throw new Error("Unauthorized");
  return answer(scopes.includes("orders:read") ? "Allow" : "Deny", "key", event.methodArn);
}
