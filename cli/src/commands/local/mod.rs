//! `doorward local`.

pub mod args;
mod banner;
mod line;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use doorward_backends::sources::ConfigSource;

use self::args::{ApiArg, AuthorizerArg, DeniedArg, EndpointArg, LocalArgs, SourceArg};
use crate::{
    dynamodb::Storage,
    exit::Failure,
    local::{
        Api, LocalGateway, Mtls, Plan, Source,
        gateway::{
            Backend, DefaultEndpoint, DeniedStatus, Exchange, IdentitySource, Payload, Upstream,
            UsagePlans,
        },
    },
    output::{self, WARN, styled},
    state::StateFolder,
};

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// When it cannot start, or a listener ends by itself.
pub async fn run(args: LocalArgs) -> Result<(), Failure> {
    let host = args.host;
    let plan = plan(args)?;
    let source = plan.source.clone();
    let mut gateway = Box::pin(LocalGateway::start(plan)).await?;
    for warning in &gateway.warnings {
        output::say(&format!("{} {warning}", styled(WARN, "warning")));
    }
    if !host.is_loopback() {
        output::say(&format!(
            "{} {host} is not a loopback address: others can reach this gateway",
            styled(WARN, "warning")
        ));
    }
    output::answer(&banner::banner(&gateway, &source)?)?;
    let ended = tokio::select! {
        failure = gateway.failed() => Err(failure),
        () = asked_to_stop() => Ok(()),
    };
    gateway.stop().await;
    ended
}

fn plan(args: LocalArgs) -> Result<Plan, Failure> {
    let payload = payload(args.api, args.authorizer)?;
    let default_file = PathBuf::from("doorward.toml");
    let source = match args.config {
        Some(source) => Source::Named(source),
        None if default_file.exists() => Source::Named(ConfigSource::File(default_file)),
        None => Source::Demo,
    };
    let backend = match args.backend {
        None => Backend::Echo,
        Some(url) => Backend::Upstream(Upstream::new(&url).map_err(Failure::usage)?),
    };
    let plans = match args.usage_plans {
        None => UsagePlans::default(),
        Some(path) => {
            let name = path.display();
            let text = fs::read_to_string(&path)
                .map_err(|error| Failure::usage(format!("`{name}` cannot be read: {error}")))?;
            UsagePlans::read(&text, &name.to_string()).map_err(Failure::usage)?
        }
    };
    let mtls = args.mtls.then_some(Mtls {
        port: args.mtls_port.unwrap_or_else(|| after(args.port, 2)),
        truststore: args.mtls_truststore,
        server: args.mtls_certificate.zip(args.mtls_key),
        default_endpoint: match args.default_endpoint {
            EndpointArg::Open => DefaultEndpoint::Open,
            EndpointArg::Closed => DefaultEndpoint::Shut,
        },
    });
    Ok(Plan {
        source,
        host: args.host,
        port: args.port,
        issuer_port: args.issuer_port.unwrap_or_else(|| after(args.port, 1)),
        admin_port: args.admin_port.unwrap_or_else(|| after(args.port, 3)),
        api: Api {
            payload,
            stage: args.stage,
            identity_sources: identity_sources(args.identity_sources)?,
            ttl: Duration::from_secs(args.ttl),
            plans,
            denied: args.denied_status.map(|status| match status {
                DeniedArg::Forbidden => DeniedStatus::Forbidden,
                DeniedArg::TooManyRequests => DeniedStatus::TooManyRequests,
            }),
        },
        storage: match args.store.as_str() {
            "memory" => Storage::Memory,
            file => Storage::File(PathBuf::from(file)),
        },
        mtls,
        backend,
        state: StateFolder::here(),
        observer: Arc::new(|exchange: &Exchange| {
            // Whoever reads the lines may have gone away; the gateway serves on.
            let _ = output::answer(&line::line(exchange));
        }),
    })
}

/// The port that is `distance` after the gateway's; a free one where that is a free one too.
fn after(port: u16, distance: u16) -> u16 {
    match port {
        0 => 0,
        port => port.checked_add(distance).unwrap_or_default(),
    }
}

fn payload(api: ApiArg, authorizer: Option<AuthorizerArg>) -> Result<Payload, Failure> {
    match (api, authorizer) {
        (ApiArg::Rest, None | Some(AuthorizerArg::Request)) => Ok(Payload::RestRequest),
        (ApiArg::Rest, Some(AuthorizerArg::Token)) => Ok(Payload::RestToken),
        (ApiArg::Http, Some(AuthorizerArg::Format1)) => Ok(Payload::Http1),
        (ApiArg::Http, None | Some(AuthorizerArg::Format2)) => Ok(Payload::Http2),
        (ApiArg::Rest, Some(_)) => Err(Failure::usage(
            "a REST API has authorizers of the types `request` and `token`",
        )),
        (ApiArg::Http, Some(_)) => Err(Failure::usage(
            "an HTTP API has authorizers of the formats `1.0` and `2.0`",
        )),
    }
}

fn identity_sources(args: Vec<SourceArg>) -> Result<Vec<IdentitySource>, Failure> {
    match args.as_slice() {
        [] => Ok(vec![IdentitySource::Header("authorization".to_owned())]),
        [SourceArg::None] => Ok(vec![]),
        _ => args
            .into_iter()
            .map(|arg| match arg {
                SourceArg::Source(source) => Ok(source),
                SourceArg::None => Err(Failure::usage("`--identity-source none` must stand alone")),
            })
            .collect(),
    }
}

/// Waits for Ctrl-C or SIGTERM. Where signals cannot be had, for ever.
async fn asked_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
