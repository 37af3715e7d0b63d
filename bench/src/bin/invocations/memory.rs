//! How much memory Doorward has after very many callers.

use anyhow::Context as _;
use doorward::local::issuer::{Algorithm, DemoKeys};
use doorward_report::numbers::rounded;
use serde_json::{Value, json};

use crate::{
    candidates::{Candidate, DOORWARD},
    credentials::{event, strange_key, token},
    process::Function,
};

/// So many tokens, and so many keys, all of them different.
const EACH: usize = 50_000;

/// Peak after [`EACH`] tokens and keys, in MiB.
pub(crate) fn after_many(candidates: &[Candidate], is_quick: bool) -> anyhow::Result<Value> {
    let candidate = candidates.iter().find(|one| one.name == DOORWARD);
    let candidate = candidate.context("the authorizer is not built")?;
    let each = if is_quick { 500 } else { EACH };
    eprintln!("memory after {each} tokens and {each} keys");
    let issuer = DemoKeys::generate()?;
    let function = Function::spawn(candidate, &issuer.key_set()?.to_string())?;
    function.init()?;
    let start = function.peak_memory()?;
    for number in 0..each {
        let bearer = format!("Bearer {}", token(&issuer, Algorithm::Es256, number)?);
        let answered = function.lambda.invoke(&event(&bearer, None))?;
        answered.said.map_err(anyhow::Error::msg)?;
        let key = strange_key(u64::try_from(number)?)?;
        let answered = function
            .lambda
            .invoke(&event(&format!("ApiKey {key}"), None))?;
        anyhow::ensure!(answered.said.is_err(), "an unknown key passed");
    }
    let mib = |kib: u64| u32::try_from(kib).map(|kib| rounded(f64::from(kib) / 1024.0));
    Ok(
        json!({"credentials": each * 2, "at_start_mib": mib(start)?, "peak_mib": mib(function.peak_memory()?)?}),
    )
}
