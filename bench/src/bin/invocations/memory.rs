//! How much memory Doorward has after very many callers.

use anyhow::Context as _;
use aws_sdk_dynamodb::Client;
use doorward::local::issuer::{Algorithm, DemoKeys};
use doorward_backends::dynamodb::TableNames;
use doorward_micro::credentials::printed_key;
use doorward_report::numbers::rounded;
use serde_json::{Value, json};

use crate::{
    candidates::{Candidate, DOORWARD},
    credentials::{event, token},
    process::Function,
};

/// So many tokens, and so many keys that are in no table, all of them different.
const EACH: usize = 50_000;

/// So many keys that are in the table: as many as are remembered.
const KNOWN: usize = 10_000;

/// Peak after [`EACH`] tokens and strange keys and [`KNOWN`] keys, in MiB. What is let in comes twice: what follows from a
/// credential is kept only then.
pub(crate) async fn after_many(
    candidates: &[Candidate],
    (client, tables): (&Client, &TableNames),
    is_quick: bool,
) -> anyhow::Result<Value> {
    let candidate = candidates.iter().find(|one| one.name == DOORWARD);
    let candidate = candidate.context("the authorizer is not built")?;
    let (each, known) = if is_quick { (500, 100) } else { (EACH, KNOWN) };
    eprintln!("memory after {each} tokens and {} keys", each + known);
    let known = doorward_bench::keys::make(client, tables, known, &["orders:read"]).await?;
    let issuer = DemoKeys::generate()?;
    let function = Function::spawn(candidate, &issuer.key_set()?.to_string())?;
    function.init()?;
    let start = function.peak_memory()?;
    for number in 0..each {
        let bearer = format!("Bearer {}", token(&issuer, Algorithm::Es256, number)?);
        twice(&function, &bearer)?;
        if let Some(key) = known.get(number) {
            twice(&function, &format!("ApiKey {key}"))?;
        }
        // Of the right form, and in no table.
        let key = printed_key(number)?;
        let answered = function
            .lambda
            .invoke(&event(&format!("ApiKey {key}"), None))?;
        anyhow::ensure!(answered.said.is_err(), "an unknown key passed");
    }
    let mib = |kib: u64| u32::try_from(kib).map(|kib| rounded(f64::from(kib) / 1024.0));
    Ok(
        json!({"credentials": each * 2 + known.len(), "at_start_mib": mib(start)?, "peak_mib": mib(function.peak_memory()?)?}),
    )
}

fn twice(function: &Function, authorization: &str) -> anyhow::Result<()> {
    let event = event(authorization, None);
    for _ in 0..2 {
        let answered = function.lambda.invoke(&event)?;
        answered.said.map_err(anyhow::Error::msg)?;
    }
    Ok(())
}
