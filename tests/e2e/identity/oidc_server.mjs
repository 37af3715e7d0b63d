// A real OpenID provider on a machine of its own: the npm package oidc-provider, with switches for what tests need.
//   node oidc_server.mjs [--host 127.0.0.1] [--port 0] [--issuer URL] [--ttl SECONDS] [--cert F --key F --client-ca F]
// Prints one JSON line {"issuer":..,"port":..,"tlsPort":..} when ready; with certificates there is a second listener, for TLS.
//
// Tokens: POST /token as client `app`, secret `secret` (basic), with resource=https://api.test/ALG, where ALG is one of
// rs256 ps256 es256 eddsa. They are RFC 9068 access tokens (`typ: at+jwt`), `aud` is the resource, scopes: read write admin.
// ALG opaque gives opaque tokens; brief gives opaque ones that live for two seconds.
//   grant_type=client_credentials        a token of the client itself
//   grant_type=urn:test:user, sub=NAME   a token of a user without a browser; claims={json} adds claims
// Clients that introspect and exchange: gate-basic, gate-post (secret `secret`), gate-jwt (private_key_jwt), gate-mtls
// (tls_client_auth, CN=gate). Clients whose own tokens are bound: bound-mtls to the certificate by which it proves itself
// (tls_client_auth, CN=bound), bound-dpop (secret `secret`) to the key of a DPoP proof, which needs a nonce. Tokens are revoked by `app`, and exchanged (RFC 8693) for the `resource` that is asked for.
// Switches: POST /_test/rotate {"alg":"ES256","keep":true}  a new signing key; keep=false takes the old one away
//           POST /_test/secret {"client":"gate-basic","secret":"new"}   another client secret
//           GET  /_test/client_key                          the private key of gate-jwt, PKCS#8 as PEM
//           GET  /_test/hits                                how often each path was asked for
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { randomBytes, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Provider, errors } from 'oidc-provider';
import * as jose from 'jose';

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    issuer: { type: 'string' },
    ttl: { type: 'string', default: '300' },
    cert: { type: 'string' },
    key: { type: 'string' },
    'client-ca': { type: 'string' },
  },
});
const ALGORITHMS = { rs256: 'RS256', ps256: 'PS256', es256: 'ES256', eddsa: 'EdDSA' };
const API = 'https://api.test/';
const SCOPES = ['read', 'write', 'admin'];
const USER_GRANT = 'urn:test:user';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const ttl = Number(options.ttl);

// The library's own memory keeps 1000 entries and is lost with the provider; this one outlives a rotation.
const store = new Map();
class Adapter {
  constructor(model) { this.model = model; }
  async upsert(id, payload, seconds) {
    store.set(`${this.model}:${id}`, { payload, until: seconds ? Date.now() + seconds * 1000 : Infinity });
  }
  async find(id) {
    const entry = store.get(`${this.model}:${id}`);
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }
  async destroy(id) { store.delete(`${this.model}:${id}`); }
  async consume() {}
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

async function newKey(alg) {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const kid = `${alg.toLowerCase()}-${randomUUID().slice(0, 8)}`;
  return { ...await jose.exportJWK(privateKey), alg, use: 'sig', kid };
}

function resourceServer(resource) {
  const opaque = { opaque: ttl, brief: 2 }[resource.startsWith(API) ? resource.slice(API.length) : ''];
  if (opaque) return { scope: SCOPES.join(' '), audience: resource, accessTokenTTL: opaque, accessTokenFormat: 'opaque' };
  const alg = ALGORITHMS[resource.startsWith(API) ? resource.slice(API.length) : ''];
  if (!alg) throw new errors.InvalidTarget();
  return {
    scope: SCOPES.join(' '), audience: resource, accessTokenTTL: ttl, accessTokenFormat: 'jwt', jwt: { sign: { alg } },
  };
}

async function userGrant(ctx) {
  const { client, provider, params } = ctx.oidc;
  if (!params.sub || !params.resource) throw new errors.InvalidRequest('sub and resource are required');
  ctx.state.claims = params.claims && JSON.parse(params.claims);
  const token = new provider.AccessToken({ accountId: params.sub, client, gty: USER_GRANT, scope: params.scope });
  token.resourceServer = new provider.ResourceServer(params.resource, resourceServer(params.resource));
  ctx.oidc.entity('AccessToken', token);
  ctx.body = { access_token: await token.save(), token_type: token.tokenType, expires_in: token.expiration, scope: token.scope };
}

async function exchange(ctx) {
  const { client, provider, params } = ctx.oidc;
  if (params.subject_token_type !== ACCESS_TOKEN || !params.subject_token || !params.resource) {
    throw new errors.InvalidRequest('subject_token, its type and resource are required');
  }
  const subject = await provider.AccessToken.find(params.subject_token);
  if (!subject?.isValid) throw new errors.InvalidGrant('the subject token is not known');
  const token = new provider.AccessToken({ accountId: subject.accountId, client, gty: EXCHANGE, scope: subject.scope });
  token.resourceServer = new provider.ResourceServer(params.resource, resourceServer(params.resource));
  ctx.oidc.entity('AccessToken', token);
  ctx.body = {
    access_token: await token.save(), token_type: token.tokenType, expires_in: token.expiration, scope: token.scope,
    issued_token_type: ACCESS_TOKEN,
  };
}

const secrets = { 'gate-basic': 'secret', 'gate-post': 'secret' };
const clientKey = await jose.generateKeyPair('ES256', { extractable: true });
const clientJwk = { ...await jose.exportJWK(clientKey.publicKey), alg: 'ES256', use: 'sig', kid: 'gate' };
const peer = (ctx) => ctx.req.socket.getPeerX509Certificate?.();

function gate(id, method, more) {
  return {
    client_id: id, client_secret: secrets[id], token_endpoint_auth_method: method, grant_types: [EXCHANGE],
    redirect_uris: [], response_types: [], ...more,
  };
}

function bound(id, method, more) {
  return { ...gate(id, method, more), client_secret: 'secret', grant_types: ['client_credentials'] };
}

const nonceSecret = randomBytes(32);

function makeProvider(issuer, keys) {
  const provider = new Provider(issuer, {
    adapter: Adapter,
    clients: [{
      client_id: 'app', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials', USER_GRANT], redirect_uris: [], response_types: [],
    },
    gate('gate-basic', 'client_secret_basic'),
    gate('gate-post', 'client_secret_post'),
    gate('gate-jwt', 'private_key_jwt', { jwks: { keys: [clientJwk] }, token_endpoint_auth_signing_alg: 'ES256' }),
    gate('gate-mtls', 'tls_client_auth', { tls_client_auth_subject_dn: 'CN=gate' }),
    bound('bound-mtls', 'tls_client_auth', {
      tls_client_auth_subject_dn: 'CN=bound', tls_client_certificate_bound_access_tokens: true,
    }),
    bound('bound-dpop', 'client_secret_basic', { dpop_bound_access_tokens: true }),
    ],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
    jwks: { keys },
    scopes: ['openid', ...SCOPES],
    enabledJWA: {
      idTokenSigningAlgValues: Object.values(ALGORITHMS), introspectionSigningAlgValues: Object.values(ALGORITHMS),
      clientAuthSigningAlgValues: ['ES256'],
    },
    ttl: { AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ttl, ClientCredentials: ttl },
    findAccount: async (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    extraTokenClaims: (ctx) => ctx.state.claims,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientId.startsWith('gate-') },
      jwtIntrospection: { enabled: true },
      mTLS: {
        enabled: true, tlsClientAuth: true, certificateBoundAccessTokens: true, getCertificate: peer,
        certificateAuthorized: (ctx) => ctx.req.socket.authorized === true,
        certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn'
          && peer(ctx).subject === expected,
      },
      dPoP: { enabled: true, nonceSecret, requireNonce: () => true },
      resourceIndicators: {
        enabled: true, defaultResource: () => undefined, getResourceServerInfo: (_ctx, resource) => resourceServer(resource),
      },
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  provider.registerGrantType(EXCHANGE, exchange, ['subject_token', 'subject_token_type', 'resource', 'audience', 'scope']);
  provider.registerGrantType(USER_GRANT, userGrant, ['sub', 'scope', 'resource', 'claims']);
  return provider;
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

const hits = {};
let keys = await Promise.all(Object.values(ALGORITHMS).map(newKey));
let issuer;
let provider;

async function rotate({ alg, keep = true }) {
  const fresh = await newKey(alg);
  keys = [fresh, ...keys.filter((key) => keep || key.alg !== alg)];
  provider = makeProvider(issuer, keys);
  return { kid: fresh.kid, kids: keys.map((key) => key.kid) };
}

async function serve(request, response) {
  const { pathname } = new URL(request.url, 'http://test');
  if (pathname === '/_test/hits') return reply(response, 200, hits);
  if (pathname === '/_test/client_key') return reply(response, 200, { pem: await jose.exportPKCS8(clientKey.privateKey) });
  if (pathname === '/_test/secret') {
    const { client, secret } = await readJson(request);
    secrets[client] = secret;
    provider = makeProvider(issuer, keys);
    return reply(response, 200, {});
  }
  if (pathname === '/_test/rotate') return reply(response, 200, await rotate(await readJson(request)));
  hits[pathname] = (hits[pathname] ?? 0) + 1;
  return provider.callback()(request, response);
}

const handler = (request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) reply(response, 500, {});
  });
};
const server = http.createServer(handler);
const tls = options.cert && https.createServer({
  cert: fs.readFileSync(options.cert), key: fs.readFileSync(options.key), ca: fs.readFileSync(options['client-ca']),
  requestCert: true, rejectUnauthorized: false,
}, handler);
if (tls) await new Promise((resolve) => { tls.listen(0, options.host, resolve); });
server.listen(Number(options.port), options.host, () => {
  const { port } = server.address();
  issuer = options.issuer ?? `http://${options.host}:${port}`;
  provider = makeProvider(issuer, keys);
  console.log(JSON.stringify({ issuer, port, tlsPort: tls?.address().port }));
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
