//! `doorward keys update`.

use std::collections::BTreeMap;

use doorward_key_admin::command::{Patch, UpdateKey};
use doorward_keys::Timestamp;

use super::request::read_fact;
use crate::{args::scopes, exit::Failure, when::When};

/// `update`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward keys update key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --scope orders:read
  doorward keys update key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --anywhere
  doorward keys update key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --plan gold

A list that is given takes the place of the old one.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Args {
    /// The id of the key.
    #[arg(value_name = "ID")]
    id: String,
    /// What people call it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Scopes; several times, or several in one text.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// No scope at all.
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// Names of routes it may use; several times.
    #[arg(long = "route", value_name = "NAME")]
    routes: Vec<String>,
    /// All routes that its scopes allow.
    #[arg(long, conflicts_with = "routes")]
    all_routes: bool,
    /// Addresses and ranges from which it may be used; several times.
    #[arg(long = "address", value_name = "CIDR")]
    addresses: Vec<String>,
    /// From anywhere.
    #[arg(long, conflicts_with = "addresses")]
    anywhere: bool,
    /// The name of a plan of the configuration, whose numbers its limits have.
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// The numbers of everybody.
    #[arg(long, conflicts_with = "plan")]
    no_plan: bool,
    /// A fact for the backend: a name, `=`, a text; several times. All that are to be known.
    #[arg(long = "metadata", value_name = "NAME=TEXT")]
    metadata: Vec<String>,
    /// For how many days from now it works.
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
    /// Until when it works: `2026-11-01`, or `2026-11-01T06:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = When::parse, conflicts_with = "expires_in_days")]
    expires_at: Option<When>,
    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The version that you have seen; without, any.
    #[arg(long, value_name = "NUMBER")]
    expected_version: Option<u64>,
}

impl Args {
    /// The command for key administration.
    pub(super) fn into_command(self, now: Timestamp) -> Result<UpdateKey, Failure> {
        let scopes = scopes(&self.scopes);
        let facts = self.metadata.iter().map(|fact| read_fact(fact));
        let facts = facts.collect::<Result<BTreeMap<_, _>, _>>()?;
        let plan = self.plan.map_or(removed(self.no_plan), Patch::To);
        Ok(UpdateKey {
            id: self.id,
            name: self.name,
            scopes: (self.no_scopes || !scopes.is_empty()).then_some(scopes),
            routes: list(self.routes, self.all_routes),
            addresses: list(self.addresses, self.anywhere),
            plan,
            metadata: Some(facts).filter(|facts| !facts.is_empty()),
            expires_at: self.expires_at.map(|at| at.from(now).unix()),
            expires_in_days: self.expires_in_days,
            expected_version: self.expected_version,
            reason: self.reason,
        })
    }
}

fn list(values: Vec<String>, lifted: bool) -> Patch<Vec<String>> {
    if values.is_empty() {
        removed(lifted)
    } else {
        Patch::To(values)
    }
}

const fn removed<T>(removed: bool) -> Patch<T> {
    if removed { Patch::Null } else { Patch::Absent }
}
