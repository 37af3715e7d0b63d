//! `doorward token`: signs with the keys that `doorward local` left in `.doorward/`.

pub mod args;
mod bound;

use doorward_keys::Timestamp;
use serde_json::{Map, Value};

use self::args::{Signature, TokenAction, TokenArgs};
use crate::{
    args::scopes,
    clock,
    exit::Failure,
    local::issuer::{Algorithm, DemoKeys, TokenRequest},
    output,
    state::{Running, StateFolder},
};

/// Prints a token.
///
/// # Errors
/// When no gateway was started here, or the arguments do not fit.
pub fn run(args: &TokenArgs) -> Result<(), Failure> {
    if let Some(TokenAction::DpopProof(args)) = &args.action {
        return bound::proof(args);
    }
    let folder = StateFolder::here();
    let keys = DemoKeys::load(&folder.issuer_keys())
        .map_err(Failure::unavailable)?
        .ok_or_else(|| {
            Failure::unavailable(
                "there is no demo issuer here; start `doorward local` in this folder first",
            )
        })?;
    let running = folder.find();
    let mut request = request(args, running.as_ref(), clock::wall())?;
    let confirmation = bound::confirmation(args, &folder, running.as_ref())?;
    let is_bound = confirmation.is_some();
    if let Some(confirmation) = confirmation {
        // A `cnf` of one's own wins, so that a wrong one can be tried.
        request
            .claims
            .entry("cnf".to_owned())
            .or_insert(confirmation);
    }
    let token = keys.mint(&request).map_err(Failure::unavailable)?;
    output::answer(token.expose())?;
    if is_bound {
        bound::explain(args, running.as_ref());
    }
    Ok(())
}

fn request(
    args: &TokenArgs,
    running: Option<&Running>,
    now: Timestamp,
) -> Result<TokenRequest, Failure> {
    let issuer = args
        .iss
        .clone()
        .or_else(|| running.map(|running| running.issuer.clone()));
    let issuer = issuer.ok_or_else(|| {
        Failure::unavailable(
            "no gateway is running here; start `doorward local`, or name the issuer with --iss",
        )
    })?;
    let audiences = match running {
        Some(running) if args.audiences.is_empty() => vec![running.audience.clone()],
        _ => args.audiences.clone(),
    };
    Ok(TokenRequest {
        issuer,
        subject: args.sub.clone(),
        client_id: args.client_id.clone(),
        audiences,
        scopes: scopes(&args.scopes),
        roles: args.roles.clone(),
        claims: args
            .claims
            .iter()
            .map(|claim| read_claim(claim))
            .collect::<Result<Map<_, _>, _>>()?,
        token_type: args.typ.clone(),
        issued_at: now.plus(args.expires.min(0)),
        lifetime: args.expires.max(0),
        algorithm: match args.alg {
            Signature::Rs256 => Algorithm::Rs256,
            Signature::Es256 => Algorithm::Es256,
        },
    })
}

/// A name and a value that is JSON if it reads as JSON, else text.
fn read_claim(text: &str) -> Result<(String, Value), Failure> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("`{text}` is not a claim; write `NAME=VALUE`")))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TokenArgs,
    }

    fn read(line: &[&str], running: Option<&Running>) -> Result<TokenRequest, Failure> {
        let line = std::iter::once("token").chain(line.iter().copied());
        request(
            &Line::parse_from(line).args,
            running,
            Timestamp::from_unix(1000),
        )
    }

    #[test]
    fn reads_scopes_claims_and_times() {
        let request = read(
            &[
                "--iss",
                "i",
                "--scope",
                "a b",
                "--scope",
                "c",
                "--claim",
                "n=1",
                "--claim",
                "t=x=y",
                "--expires",
                "-5m",
            ],
            None,
        )
        .unwrap();
        assert_eq!(request.scopes, ["a", "b", "c"]);
        assert_eq!(Value::Object(request.claims), json!({"n": 1, "t": "x=y"}));
        // Expired, and not issued after its end.
        assert_eq!((request.issued_at.unix(), request.lifetime), (700, 0));
    }

    #[test]
    fn refuses_to_guess_an_issuer() {
        let failure = read(&[], None).unwrap_err();
        assert!(failure.message.contains("doorward local"), "{failure}");
        assert!(read(&["--iss", "i", "--claim", "x"], None).is_err());
    }
}
