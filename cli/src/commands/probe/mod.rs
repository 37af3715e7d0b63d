//! `doorward probe`.

pub mod args;
mod assumptions;
mod choose;
mod credential;
mod ending;
mod seen;
mod spellings;
mod stage;
mod tries;

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::OnceLock,
};

use reqwest::{Certificate, Identity};
use serde_json::json;

pub use assumptions::Assumption;

use self::{
    args::ProbeArgs,
    credential::Credential,
    stage::{Stage, Tls},
    tries::Probe,
};
use crate::{
    exit::Failure,
    input,
    output::{self, BAD, DIM, GOOD, styled},
};

/// What was seen of an assumption.
enum Outcome {
    AsAssumed(String),
    Differs(String),
    NotTried(String),
}

struct Row {
    assumption: Assumption,
    outcome: Outcome,
}

/// Tries every assumption, one after the other, and prints what was seen.
///
/// # Errors
/// [`Failure::no`] when something differs.
pub async fn run(args: ProbeArgs) -> Result<(), Failure> {
    let stage = Stage::at(&args.url, tls(&args, Client::WithCertificate)?)?;
    let others = || tls(&args, Client::WithoutCertificate);
    let without_certificate = args
        .certificate
        .is_some()
        .then(|| Stage::at(&args.url, others()?))
        .transpose()?;
    let default_endpoint = args
        .default_endpoint
        .as_deref()
        .map(|url| Stage::at(url, others()?))
        .transpose()?;
    let credential = Credential::read(&args.credential)?;
    let ending_token = args
        .ending_token
        .as_deref()
        .map(Credential::read)
        .transpose()?;
    let here = stage.is_local().then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let routes = choose::routes(&args, &credential, args.address.or(here)).await?;
    let probe = Probe {
        stage: &stage,
        credential: &credential,
        allowed: (&routes.allowed.0, &routes.allowed.1),
        refused: (&routes.refused.0, &routes.refused.1),
        elsewhere: routes
            .elsewhere
            .as_ref()
            .map(|(method, path)| (method.as_str(), path.as_str()))
            .map_err(String::as_str),
        without_certificate: without_certificate.as_ref(),
        default_endpoint: default_endpoint.as_ref(),
        ending_token: ending_token.as_ref(),
        leeway: args.leeway,
        ttl: args.ttl,
        burst: args.burst,
        ended: OnceLock::new(),
    };
    let rows = rows(&probe).await?;
    if args.json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        output::answer(&format!("{:#}", json!({"stage": args.url, "rows": rows})))?;
    } else {
        for row in &rows {
            output::answer(&line(row))?;
        }
    }
    let differ = rows
        .iter()
        .filter(|row| matches!(row.outcome, Outcome::Differs(_)));
    match differ.count() {
        0 => Ok(()),
        _ => Err(Failure::no()),
    }
}

/// Whether the certificate of the client is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    WithCertificate,
    WithoutCertificate,
}

/// What the command line says of TLS.
fn tls(args: &ProbeArgs, client: Client) -> Result<Tls, Failure> {
    let authority = args.authority.as_deref().map(|path| {
        let found = Certificate::from_pem_bundle(&input::read(path)?);
        let found = found.ok().filter(|found| !found.is_empty());
        found.ok_or_else(|| no_pem(path, "certificate"))
    });
    let identity = match (&args.certificate, &args.private_key) {
        (Some(certificate), Some(key)) if client == Client::WithCertificate => {
            let pem = [input::read(certificate)?, b"\n".to_vec(), input::read(key)?].concat();
            let identity = Identity::from_pem(&pem);
            Some(identity.map_err(|_| no_pem(certificate, "certificate to the private key"))?)
        }
        _ => None,
    };
    Ok(Tls {
        authority: authority.transpose()?,
        client: identity,
    })
}

fn no_pem(path: &Path, what: &str) -> Failure {
    Failure::usage(format!("`{}` holds no {what} in PEM", path.display()))
}

/// Tries one after the other, until the credential turns out to open nothing.
async fn rows(probe: &Probe<'_>) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for assumption in Assumption::ALL {
        let outcome = probe.try_one(*assumption).await?;
        let is_lost = *assumption == Assumption::Allowed && matches!(outcome, Outcome::Differs(_));
        rows.push(Row {
            assumption: *assumption,
            outcome,
        });
        if is_lost {
            output::say(
                "the credential does not open the allowed route, so that nothing else says anything",
            );
            break;
        }
    }
    Ok(rows)
}

fn line(row: &Row) -> String {
    let assumed = row.assumption.assumed();
    match &row.outcome {
        Outcome::AsAssumed(seen) => format!("{} {assumed}: {seen}", styled(GOOD, "as said  ")),
        Outcome::NotTried(why) => format!("{} {assumed}: {why}", styled(DIM, "not tried")),
        Outcome::Differs(seen) => format!(
            "{} {assumed}: {seen}\n          {}\n          to mend: {}",
            styled(BAD, "DIFFERS  "),
            row.assumption.why(),
            row.assumption.mend()
        ),
    }
}

fn as_json(row: &Row) -> serde_json::Value {
    let (verdict, seen) = match &row.outcome {
        Outcome::AsAssumed(seen) => ("as_assumed", seen),
        Outcome::Differs(seen) => ("differs", seen),
        Outcome::NotTried(why) => ("not_tried", why),
    };
    json!({
        "id": row.assumption.id(), "assumed": row.assumption.assumed(), "verdict": verdict, "seen": seen,
        "why": row.assumption.why(), "mend": row.assumption.mend(),
    })
}
