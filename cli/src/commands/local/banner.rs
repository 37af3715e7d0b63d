//! What `doorward local` says when it is ready: where everything is, and curl lines to paste.

use std::fmt::Write as _;

use crate::{
    clock, duration,
    exit::Failure,
    local::{
        DEMO_AUDIENCE, Domain, LocalGateway, Source,
        gateway::{ApiKind, Payload},
        issuer::{Algorithm, TokenRequest},
        trust_in_demo_issuer,
    },
    output::{BOLD, DIM, program, styled},
};

/// How long the tokens in the curl lines live.
const TOKEN_LIFETIME: i64 = 12 * 60 * 60;

pub(super) fn banner(gateway: &LocalGateway, source: &Source) -> Result<String, Failure> {
    let mut text = header(gateway, source);
    match (source, &gateway.key) {
        (Source::Demo, Some(key)) => {
            text.push_str(&demo_lines(gateway, key.secret.expose(), key.id.as_str())?);
        }
        _ => text.push_str(&own_lines(gateway)),
    }
    if let Some(domain) = &gateway.running.mtls {
        text.push_str(&mtls_lines(domain));
    }
    let _ = write!(
        text,
        "\n{}",
        styled(
            DIM,
            "Each request is one line below. Ctrl-C stops the gateway."
        )
    );
    Ok(text)
}

fn header(gateway: &LocalGateway, source: &Source) -> String {
    let running = &gateway.running;
    let api = match gateway.payload.api() {
        ApiKind::Rest => "a REST API",
        ApiKind::Http => "an HTTP API",
    };
    let kept = match running.ttl_seconds {
        0 => "answers of the authorizer are not kept".to_owned(),
        seconds => format!("answers of the authorizer are kept for {}", shown(seconds)),
    };
    let configuration = match source {
        Source::Demo => {
            "built-in demonstration; a doorward.toml in this folder takes its place".to_owned()
        }
        Source::Text(_) => "given".to_owned(),
        Source::Named(source) => source.to_string(),
    };
    let mut text = format!("{} as {api}; {kept}\n", styled(BOLD, &running.gateway));
    for (name, value) in [
        ("configuration", configuration),
        ("keys", format!("embedded DynamoDB, {}", running.dynamodb)),
        ("tokens", format!("demo issuer, {}", running.issuer)),
    ] {
        let _ = writeln!(text, "  {name:<14} {value}");
    }
    if let Some(address) = &running.admin {
        let _ = writeln!(
            text,
            "  {:<14} {address}, signed requests; credentials in .doorward/aws-credentials",
            "key admin"
        );
    }
    if let Some(domain) = &running.mtls {
        let _ = writeln!(text, "  {:<14} {}", "mutual TLS", domain.address);
    }
    if let Some(address) = &gateway.identity_keys {
        let _ = writeln!(text, "  {:<14} {address}", "identity keys");
    }
    if let Some(key) = &gateway.key {
        let _ = writeln!(
            text,
            "  {:<14} {} of tenant {}, scopes {}",
            "demo key",
            key.id,
            key.tenant,
            key.scopes.join(" ")
        );
    }
    text
}

/// One line to paste for each thing worth seeing, each after a comment that says what comes of it.
fn demo_lines(gateway: &LocalGateway, key: &str, key_id: &str) -> Result<String, Failure> {
    let base = &gateway.running.gateway;
    let program = program();
    let token = token(gateway)?;
    let forged = forged(&token);
    let unknown = match gateway.payload.api() {
        ApiKind::Rest => 403,
        ApiKind::Http => 404,
    };
    let mut text = format!(
        "\n{}\n",
        styled(BOLD, "To paste into another terminal, in this folder:")
    );
    let mut line = |says: &str, options: &str, credential: &str, path: &str| {
        let header = match credential {
            "" => String::new(),
            credential => format!(" -H 'Authorization: Bearer {credential}'"),
        };
        let _ = write!(text, "\n# {says}\ncurl -i{options}{header} {base}{path}\n");
    };
    line(
        "200: the key is accepted, and the backend sees whose it is",
        "",
        key,
        "/orders/42",
    );
    line(
        "200: the same caller again, another path; answered from the cache",
        "",
        key,
        "/orders/43",
    );
    line(
        "403: the key has not the scope orders:write, said by the cached answer too",
        " -X POST",
        key,
        "/orders",
    );
    let office = match gateway.payload {
        Payload::RestToken => "403: this route has a list of addresses, and the event says none",
        _ => "403: the address is not on the list of this route",
    };
    line(office, "", key, "/office");
    line(
        "200: a token of the demo issuer is accepted",
        "",
        &token,
        "/orders/42",
    );
    line(
        "401: a token that was changed is not",
        "",
        &forged,
        "/orders/42",
    );
    line(
        "401: no credential, so the authorizer is not even asked",
        "",
        "",
        "/orders/42",
    );
    line(&format!("{unknown}: no such route"), "", key, "/nowhere");
    let delay = shown(
        gateway
            .running
            .ttl_seconds
            .saturating_add(u64::from(gateway.key_cache_seconds)),
    );
    let _ = write!(
        text,
        "\n# revoke the key; after {delay} at most the first line answers 401\n{program} keys revoke {key_id}\n\
         \n# a new key, and a token of your own\n{program} keys create --tenant demo --name second --scope orders:read\n\
         {program} token --scope orders:write --role admin\n"
    );
    Ok(text)
}

fn own_lines(gateway: &LocalGateway) -> String {
    let program = program();
    let base = &gateway.running.gateway;
    let mut text = format!(
        "\n{}\n",
        styled(BOLD, "In another terminal, in this folder:")
    );
    if let Some(key) = &gateway.key {
        let _ = write!(
            text,
            "\n# with the demo key; put one of your paths in\ncurl -i -H 'Authorization: Bearer {}' {base}/\n",
            key.secret.expose()
        );
    }
    let _ = write!(
        text,
        "\n# a key\n{program} keys create --tenant demo --name first --scope SCOPE\n"
    );
    let trust = trust_in_demo_issuer(&gateway.running.issuer).replace('\n', "\n#   ");
    let _ = write!(
        text,
        "\n# a token of the demo issuer, once your configuration trusts it:\n#   {trust}\n{program} token --scope SCOPE\n"
    );
    text
}

/// Lines to paste for the domain with mutual TLS, where the certificates for demonstration serve.
fn mtls_lines(domain: &Domain) -> String {
    let address = &domain.address;
    let trusting = domain
        .authority
        .as_ref()
        .map_or_else(String::new, |authority| {
            format!(" --cacert {}", authority.display())
        });
    let mut text = format!(
        "\n# no connection: the domain with mutual TLS wants a certificate\ncurl -i{trusting} {address}/\n"
    );
    if let Some((certificate, key)) = &domain.client {
        let _ = write!(
            text,
            "\n# the certificate of the demo client; add a credential, and one of your paths\n\
             curl -i{trusting} --cert {} --key {} {address}/\n",
            certificate.display(),
            key.display()
        );
    }
    text
}

fn token(gateway: &LocalGateway) -> Result<String, Failure> {
    let request = TokenRequest {
        issuer: gateway.running.issuer.clone(),
        subject: "demo-user".to_owned(),
        client_id: "demo-client".to_owned(),
        audiences: vec![DEMO_AUDIENCE.to_owned()],
        scopes: vec!["orders:read".to_owned()],
        roles: vec![],
        claims: serde_json::Map::new(),
        token_type: "at+jwt".to_owned(),
        issued_at: clock::wall(),
        lifetime: TOKEN_LIFETIME,
        algorithm: Algorithm::Es256,
    };
    let token = gateway
        .issuer_keys
        .mint(&request)
        .map_err(Failure::unavailable)?;
    Ok(token.expose().clone())
}

/// `token` with the first character of its signature changed.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let rest: String = signature.chars().skip(1).collect();
    format!("{signed}.{first}{rest}")
}

fn shown(seconds: u64) -> String {
    duration::shown(i64::try_from(seconds).unwrap_or(i64::MAX))
}
