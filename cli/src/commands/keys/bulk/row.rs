//! From the cells of a row to a command of key administration, which checks the rest.

use std::collections::BTreeMap;

use doorward_key_admin::command::{CreateKey, FormerDigest, ImportKey};
use doorward_keys::{Digest, ForeignForms, Timestamp, foreign::HashName, format::KeyFormat};

use super::{
    mapping::Mapping,
    read::{Cells, Format},
};

/// What holds for every row.
pub(super) struct Rules {
    pub(super) format: Format,
    pub(super) mapping: Mapping,
    pub(super) tenant: Option<String>,
    pub(super) tenant_column: Option<String>,
    pub(super) environment: String,
    pub(super) scopes: Vec<String>,
    pub(super) expires_in_days: Option<u32>,
    pub(super) former: Option<HashName>,
    pub(super) ours: KeyFormat,
    pub(super) foreign: ForeignForms,
    pub(super) now: Timestamp,
}

/// What stands for an empty list: an empty cell says nothing.
const NONE: &str = "none";
const SECONDS_OF_DAY: i64 = 86_400;

impl Rules {
    /// The command that imports the key of a row. No message shows the key or a digest.
    pub(super) fn import(&self, line: u64, cells: &Cells) -> Result<ImportKey, String> {
        match self.cell("status", cells) {
            None | Some("active" | "disabled") => {}
            Some(status) => return Err(format!("is not imported, because it is {status}")),
        }
        // What must not be lost on the way: a decoy would come as a key that opens something.
        for (fact, why) in [
            ("decoy", "is a decoy; decoys are made anew"),
            (
                "has_usage_plan_key",
                "has a usage-plan key, which is not exported; create or update it here by hand",
            ),
        ] {
            if !matches!(self.cell(fact, cells), None | Some("false")) {
                return Err(why.to_owned());
            }
        }
        let facts = self.facts(line, cells)?;
        let mut asked = ImportKey {
            tenant: facts.tenant,
            name: facts.name,
            environment: facts.environment,
            digest: None,
            former: vec![],
            former_unknown: false,
            other_digests: vec![],
            scopes: facts.scopes,
            routes: facts.routes,
            addresses: facts.addresses,
            expires_in_days: facts.expires_in_days,
            usage_plan_key: None,
            plan: facts.plan,
            metadata: facts.metadata,
            disabled: self.is_disabled(cells)?,
        };
        // A hashed Tyk names its keys by their hashes.
        let is_hash = self.format == Format::Tyk && self.former.is_some();
        let key = self.cell("key", cells);
        let hash = self.cell("hash", cells).or(key.filter(|_| is_hash));
        let digest = self.cell("digest", cells);
        if let Some(hash) = hash {
            let name = self
                .former
                .ok_or("holds a hash, and nothing says of which kind; say it with --former-hash")?;
            asked.former.push(former((name, hash.to_owned())));
        }
        if let Some(digest) = digest {
            asked.digest = Some(digest.to_owned());
            // What was exported says no more.
            asked.former_unknown = self.format == Format::Doorward;
        } else if let Some(key) = key.filter(|_| hash.is_none()) {
            let mut digests = self.digests(key)?.into_iter().map(|digest| digest.to_hex());
            asked.digest = digests.next();
            asked.other_digests = digests.collect();
            asked.former_unknown = self.ours.owns(key);
            if !asked.former_unknown {
                let hashes = self.foreign.former_hashes(key);
                asked.former = hashes.into_iter().map(former).collect();
            }
        } else if hash.is_none() {
            return Err("holds no key".to_owned());
        }
        Ok(asked)
    }

    /// The command that makes a key for a row of `name`.
    pub(super) fn create(&self, line: u64, cells: &Cells, file: &str) -> Result<CreateKey, String> {
        let facts = self.facts(line, cells)?;
        Ok(CreateKey {
            tenant: facts.tenant,
            name: facts.name,
            environment: facts.environment,
            scopes: facts.scopes,
            routes: facts.routes,
            addresses: facts.addresses,
            expires_in_days: facts.expires_in_days,
            usage_plan_key: None,
            plan: facts.plan,
            decoy: false,
            metadata: facts.metadata,
            idempotency_key: Some(format!("{file}:{line}")),
        })
    }

    /// Under which digests of ours `key` is kept, the one in force first.
    fn digests(&self, key: &str) -> Result<Vec<Digest>, String> {
        if self.ours.owns(key) {
            let own = self.ours.parse(key);
            return own.map(|digest| vec![digest]).map_err(|fault| {
                format!("begins as keys of this configuration do, but {fault}; give it a new key")
            });
        }
        match self.foreign.places(key, &self.ours, self.now) {
            Some(places) => Ok(places.own),
            None => Err(format!(
                "holds a key of {} characters that fits no form of `api_keys.imported`, so that the authorizer would never look it up",
                key.chars().count()
            )),
        }
    }

    fn facts(&self, line: u64, cells: &Cells) -> Result<Facts, String> {
        let tenant = if let Some(tenant) = &self.tenant {
            tenant.clone()
        } else {
            let column = self
                .tenant_column
                .as_ref()
                .map(|name| name.to_ascii_lowercase());
            let named = match &column {
                Some(column) => filled(cells, column),
                None => self.cell("tenant", cells),
            };
            let named = named.ok_or("names no tenant; say it with --tenant or --tenant-column")?;
            let tenants = &self.mapping.tenants;
            tenants.get(named).map_or(named, String::as_str).to_owned()
        };
        let name = self.cell("name", cells).map(str::to_owned);
        let environment = self.cell("environment", cells).map(str::to_owned);
        let scopes = self
            .cell("scopes", cells)
            .map(|words| self.scopes_of(words));
        let facts = cells.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("metadata.")?;
            (!value.is_empty()).then(|| (name.to_owned(), value.clone()))
        });
        Ok(Facts {
            tenant,
            name: name.unwrap_or_else(|| format!("imported, line {line}")),
            environment: environment.unwrap_or_else(|| self.environment.clone()),
            scopes: scopes.unwrap_or_else(|| self.scopes.clone()),
            routes: self.cell("routes", cells).map(|cell| list(cell, &[';'])),
            addresses: self
                .cell("addresses", cells)
                .map(|cell| list(cell, &[' ', ',', ';'])),
            expires_in_days: self.days(cells)?.or(self.expires_in_days),
            plan: self.plan(cells),
            metadata: facts.collect(),
        })
    }

    /// The cell that holds a fact, if it is filled.
    fn cell<'c>(&self, fact: &str, cells: &'c Cells) -> Option<&'c str> {
        let column = match self.mapping.columns.get(fact) {
            Some(column) => column.to_ascii_lowercase(),
            None => match (self.format, fact) {
                (Format::Kong, "name") => "consumer".to_owned(),
                (Format::Tyk, "name") => "alias".to_owned(),
                (Format::Aws, "plan") => "usageplanids".to_owned(),
                _ => fact.to_owned(),
            },
        };
        filled(cells, &column)
    }

    fn scopes_of(&self, words: &str) -> Vec<String> {
        let mut scopes: Vec<String> = vec![];
        for word in list(words, &[' ', ',']) {
            let meant = self.mapping.scopes.get(&word).cloned();
            for scope in meant.unwrap_or_else(|| vec![word]) {
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    }

    /// The plan of a row: the first word for which the mapping names one; a usage plan of API Gateway means none by itself.
    fn plan(&self, cells: &Cells) -> Option<String> {
        let words = self.cell("plan", cells)?;
        let plans = &self.mapping.plans;
        let mapped = list(words, &[' ', ','])
            .iter()
            .find_map(|word| plans.get(word).cloned());
        let is_ours = matches!(self.format, Format::Csv | Format::Doorward);
        mapped.or_else(|| is_ours.then(|| words.to_owned()))
    }

    fn days(&self, cells: &Cells) -> Result<Option<u32>, String> {
        if let Some(days) = self.cell("expires_in_days", cells) {
            let days = days
                .parse()
                .map_err(|_| "`expires_in_days` must be a number of days")?;
            return Ok(Some(days));
        }
        let Some(end) = self.cell("expires_at", cells) else {
            return Ok(None);
        };
        let end: i64 = end
            .parse()
            .map_err(|_| "`expires_at` must be seconds since 1970")?;
        let left = end.saturating_sub(self.now.unix());
        if left <= 0 {
            return Err("has expired and is not imported".to_owned());
        }
        // Rounded down: a key does not outlive its end; one that ends today has its last day.
        Ok(Some(
            u32::try_from(left / SECONDS_OF_DAY)
                .unwrap_or(u32::MAX)
                .max(1),
        ))
    }

    fn is_disabled(&self, cells: &Cells) -> Result<bool, String> {
        let flag = |fact: &str| -> Result<Option<bool>, String> {
            match self
                .cell(fact, cells)
                .map(str::to_ascii_lowercase)
                .as_deref()
            {
                None => Ok(None),
                Some("true" | "yes" | "1") => Ok(Some(true)),
                Some("false" | "no" | "0") => Ok(Some(false)),
                Some(_) => Err(format!("`{fact}` must be true or false")),
            }
        };
        let off = flag("enabled")? == Some(false) || flag("disabled")? == Some(true);
        Ok(off || self.cell("status", cells) == Some("disabled"))
    }
}

/// What a row says of a key but the key itself.
struct Facts {
    tenant: String,
    name: String,
    environment: String,
    scopes: Vec<String>,
    routes: Option<Vec<String>>,
    addresses: Option<Vec<String>>,
    expires_in_days: Option<u32>,
    plan: Option<String>,
    metadata: BTreeMap<String, String>,
}

fn former((hash, value): (HashName, String)) -> FormerDigest {
    FormerDigest {
        hash: hash.as_str().to_owned(),
        value,
    }
}

fn filled<'c>(cells: &'c Cells, column: &str) -> Option<&'c str> {
    let cell = cells.get(column).map(|cell| cell.trim());
    cell.filter(|cell| !cell.is_empty())
}

fn list(text: &str, between: &[char]) -> Vec<String> {
    if text == NONE {
        return vec![];
    }
    let words = text.split(between).map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
