//! Memory against the number of different callers.

use std::fs;

use anyhow::{Context as _, ensure};
use doorward_engine::{Decision, layers::jwt::Algorithm};
use doorward_micro::{
    credentials::{Credentials, printed_key, token},
    house::{ADDRESS, House, Size, request, stopwatch},
};
use doorward_report::numbers::rounded;
use doorward_tokens::{SigningKey, key_set};
use serde_json::{Value, json};

/// After so many credentials the memory is looked at.
const AFTER: [usize; 8] = [
    0, 1000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
];

/// Memory of the process after so many credentials, half of them tokens and half keys that nobody knows, all different.
pub(crate) fn measured() -> anyhow::Result<Value> {
    let pair = SigningKey::generate(Algorithm::Ed25519, "of-memory");
    let credentials = Credentials {
        key_set: key_set([&pair]),
        signed: Vec::new(),
        keys: Vec::new(),
    };
    let house = House::build(Size::SMALL, &credentials, stopwatch)?;
    let mut points = Vec::new();
    let mut done = 0;
    for after in AFTER {
        eprintln!("memory after {after} credentials");
        while done < after {
            let known = format!("Bearer {}", token(&pair, done));
            let verdict = house.decide(&request(&known, ADDRESS)?)?;
            ensure!(
                matches!(verdict.decision, Decision::Allow(_)),
                "{:?}",
                verdict.decision
            );
            let unknown = format!("ApiKey {}", printed_key(done)?);
            let verdict = house.decide(&request(&unknown, ADDRESS)?)?;
            ensure!(
                matches!(verdict.decision, Decision::Deny(_)),
                "an unknown key passed"
            );
            done += 2;
        }
        points.push(json!({"credentials": after, "mib": rounded(resident()?)}));
    }
    Ok(json!(points))
}

/// What the process has in memory now, in MiB (proc(5), `VmRSS`).
fn resident() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u32>().ok());
    Ok(f64::from(kib.context("no memory in /proc")?) / 1024.0)
}
