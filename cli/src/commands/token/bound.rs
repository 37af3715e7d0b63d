//! Tokens that are bound to a certificate or to a DPoP key, and proofs for the latter.

use std::{fmt::Write as _, fs, path::PathBuf};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Map, Value, json};

use super::args::{ProofArgs, TokenArgs};
use crate::{
    clock,
    exit::Failure,
    local::issuer::{DpopKey, ProofRequest, certificate_thumbprint},
    output,
    state::{Running, StateFolder},
};

/// `cnf` of the token (RFC 7800 section 3.1), if it is to be bound to something.
pub(super) fn confirmation(
    args: &TokenArgs,
    folder: &StateFolder,
    running: Option<&Running>,
) -> Result<Option<Value>, Failure> {
    let mut confirmation = Map::new();
    if let Some(file) = &args.certificate {
        let der = certificate(file, running)?;
        confirmation.insert("x5t#S256".to_owned(), json!(certificate_thumbprint(&der)));
    }
    if args.dpop {
        let thumbprint = key(folder)?.thumbprint().map_err(Failure::unavailable)?;
        confirmation.insert("jkt".to_owned(), json!(thumbprint));
    }
    Ok((!confirmation.is_empty()).then_some(Value::Object(confirmation)))
}

/// Says how a bound token is used. The token itself stands alone on standard output.
pub(super) fn explain(args: &TokenArgs, running: Option<&Running>) {
    let Some(running) = running else { return };
    let program = output::program();
    let domain = running.mtls.as_ref();
    let base = match (domain, &args.certificate) {
        (Some(domain), Some(_)) => &domain.address,
        _ => &running.gateway,
    };
    let url = format!("{base}/orders/42");
    let mut options = String::new();
    // Writing to a text cannot fail.
    if let (Some(domain), Some(_)) = (domain, &args.certificate) {
        if let Some(authority) = &domain.authority {
            let _ = write!(options, " --cacert {}", authority.display());
        }
        if let Some((certificate, key)) = &domain.client {
            let (certificate, key) = (certificate.display(), key.display());
            let _ = write!(options, " --cert {certificate} --key {key}");
        }
    }
    let scheme = if args.dpop { "DPoP" } else { "Bearer" };
    let _ = write!(options, " -H \"Authorization: {scheme} $TOKEN\"");
    if args.dpop {
        let _ = write!(
            options,
            " -H \"DPoP: $({program} token dpop-proof GET {url} --token \"$TOKEN\")\""
        );
    }
    output::say(&format!(
        "# with the token in TOKEN, and one of your paths:\ncurl -i{options} {url}"
    ));
}

/// Prints a proof.
pub(super) fn proof(args: &ProofArgs) -> Result<(), Failure> {
    let folder = StateFolder::here();
    let request = ProofRequest {
        method: &args.method,
        url: &args.url,
        token: args.token.as_deref(),
        nonce: args.nonce.as_deref(),
        id: args.jti.as_deref(),
        issued_at: clock::wall().plus(args.issued),
    };
    let proof = key(&folder)?
        .proof(&request)
        .map_err(Failure::unavailable)?;
    output::answer(&proof)
}

fn key(folder: &StateFolder) -> Result<DpopKey, Failure> {
    folder.create().map_err(|error| {
        Failure::unavailable(format!(
            "the folder `.doorward` cannot be made here: {error}"
        ))
    })?;
    DpopKey::load_or_create(&folder.dpop_key()).map_err(Failure::unavailable)
}

/// The certificate in `file`, or that of the demo client where no file is named.
fn certificate(file: &str, running: Option<&Running>) -> Result<Vec<u8>, Failure> {
    let path = if file.is_empty() {
        let domain = running.and_then(|running| running.mtls.as_ref());
        let client = domain.and_then(|domain| domain.client.as_ref());
        let (certificate, _) = client.ok_or_else(|| {
            Failure::unavailable(
                "there is no demo client here; start `doorward local --mtls`, or name the file of a certificate",
            )
        })?;
        certificate.clone()
    } else {
        PathBuf::from(file)
    };
    let name = path.display();
    let text = fs::read(&path)
        .map_err(|error| Failure::usage(format!("`{name}` cannot be read: {error}")))?;
    let der = CertificateDer::from_pem_slice(&text)
        .map_err(|_| Failure::usage(format!("`{name}` holds no certificate in PEM")))?;
    Ok(der.to_vec())
}
