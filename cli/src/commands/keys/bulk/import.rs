//! `doorward keys import`.

use std::path::Path;

use doorward_engine::layers::api_key::ApiKeysConfig;
use doorward_key_admin::{Reply, command::ImportKey};
use doorward_keys::foreign::HashName;
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::{
    Desk, Outcome, Rows, args, beside, fingerprint,
    journal::{Counts, Journal},
    mapping::Mapping,
    progress::Progress,
    read::{Cells, Format, Row},
    row::Rules,
    say_fault,
};
use crate::{args::scopes, clock, exit::Failure, output};

/// After how many rows the journal grows.
const NOTED: u64 = 50;

/// Imports the keys of a file, the rows that are done already left out.
///
/// # Errors
/// When the file cannot be understood, the table or the API does not answer, or rows are faulty.
pub(in crate::commands::keys) async fn import(
    desk: &Desk<'_>,
    config: &ApiKeysConfig,
    asked: args::Import,
    (place, as_json): (&str, bool),
) -> Result<(), Failure> {
    let rules = rules(&asked, config)?;
    let file = asked.file.clone();
    let size = std::fs::metadata(&file).map_or(0, |found| found.len());
    let (mut journal, before) = if asked.dry_run {
        (None, Counts::default())
    } else {
        let path = asked.journal.clone();
        let path = path.unwrap_or_else(|| beside(&file, ".doorward-journal"));
        let about = about(&asked, place)?;
        let (journal, before) = Journal::open(&path, &about)?;
        (Some(journal), before)
    };
    if before.rows > 0 {
        let rows = before.rows;
        output::say(&format!(
            "goes on behind the {rows} rows that are done already"
        ));
    }

    let work = Work {
        desk,
        rules: &rules,
        is_dry: asked.dry_run,
        skip: usize::try_from(before.rows).unwrap_or(usize::MAX),
    };
    let Rows { mut rows, reader } = Rows::of(asked.format, &file);
    let mut outcomes = stream::poll_fn(|context| rows.poll_recv(context))
        .enumerate()
        .chunks(desk.at_once())
        .map(|rows| work.done(rows))
        .buffered(usize::from(asked.concurrency))
        .flat_map(stream::iter);
    let mut counts = before;
    let mut progress = Progress::of(size, before.rows);
    let mut stop = None;
    while let Some((line, offset, outcome)) = outcomes.next().await {
        match outcome {
            None => continue,
            Some(Outcome::Done) => counts.done += 1,
            Some(Outcome::Known) => counts.known += 1,
            Some(Outcome::Fault(fault)) => {
                counts.faults += 1;
                progress.clear();
                say_fault(&file, line, &fault, &counts);
            }
            Some(Outcome::Stop(failure)) => {
                stop = Some(failure);
                break;
            }
        }
        counts.rows += 1;
        progress.show(offset, &counts);
        if counts.rows % NOTED == 0
            && let Some(journal) = &mut journal
        {
            journal.note(counts)?;
        }
    }
    drop(outcomes);
    progress.clear();
    if let Some(journal) = &mut journal {
        journal.note(counts)?;
    }
    if let Some(failure) = stop {
        let rows = counts.rows;
        return Err(Failure {
            message: format!("{failure}; {rows} rows are done, give the command again to go on"),
            ..failure
        });
    }
    let read = reader.await.map_err(Failure::unavailable)?;
    read?;
    if let Some(journal) = journal {
        journal.end()?;
    }
    finish(counts, asked.dry_run, as_json)
}

struct Work<'w> {
    desk: &'w Desk<'w>,
    rules: &'w Rules,
    is_dry: bool,
    skip: usize,
}

impl Work<'_> {
    /// What came of each row.
    async fn done(&self, rows: Vec<(usize, Row)>) -> Vec<super::Told> {
        let make = |line, cells: &Cells| self.rules.import(line, cells);
        let do_all = async |asked| self.imported(asked).await;
        super::done(rows, self.skip, make, do_all).await
    }

    async fn imported(&self, asked: Vec<ImportKey>) -> Vec<Outcome> {
        let outcome = |is_new: Result<bool, Outcome>| match is_new {
            Ok(true) => Outcome::Done,
            Ok(false) => Outcome::Known,
            Err(outcome) => outcome,
        };
        let mut outcomes = Vec::with_capacity(asked.len());
        if self.is_dry {
            for key in &asked {
                outcomes.push(outcome(self.desk.would_import(key).await));
            }
            return outcomes;
        }
        let is_new = |reply| matches!(reply, Reply::Imported { imported: true, .. });
        let done = self.desk.import(asked).await;
        done.into_iter()
            .map(|one| outcome(one.map(is_new)))
            .collect()
    }
}

fn rules(asked: &args::Import, config: &ApiKeysConfig) -> Result<Rules, Failure> {
    let former = asked.former_hash.as_deref().map(|word| {
        let name = HashName::parse(word);
        name.ok_or_else(|| {
            let known = HashName::ALL.map(HashName::as_str).join("`, `");
            Failure::usage(format!(
                "`{word}` is no hash that keys can be brought by, expected one of `{known}`; of others the keys themselves are needed, or new keys"
            ))
        })
    });
    let former = former.transpose()?;
    if let Some(name) = former {
        let mut hashes = config
            .imported
            .iter()
            .filter_map(|form| form.former.as_ref());
        if !hashes.any(|hash| hash.name() == name) {
            let word = name.as_str();
            return Err(Failure::usage(format!(
                "no form of `api_keys.imported` has `hash = \"{word}\"`, so that the authorizer would not take these keys"
            )));
        }
    } else if config.imported.is_empty() && asked.format != Format::Doorward {
        return Err(Failure::usage(
            "the configuration has no `[[api_keys.imported]]`, which says what the keys look like, so that the authorizer would not take them",
        ));
    }
    let mapping = asked.mapping.as_deref().map(Mapping::read).transpose()?;
    let environments = &config.format.environments;
    let environment = asked.environment.clone();
    Ok(Rules {
        format: asked.format,
        mapping: mapping.unwrap_or_default(),
        tenant: asked.tenant.clone(),
        tenant_column: asked.tenant_column.clone(),
        environment: environment
            .or_else(|| environments.first().cloned())
            .unwrap_or_default(),
        scopes: scopes(&asked.scopes),
        expires_in_days: asked.expires_in_days,
        former,
        ours: config.format.clone(),
        foreign: config.imported.clone(),
        now: clock::wall(),
    })
}

/// What an import is about, so that it is not mistaken for another one: what is read, how, and where it goes.
fn about(asked: &args::Import, place: &str) -> Result<String, Failure> {
    let mapping = asked.mapping.as_deref().map(fingerprint).transpose()?;
    let options = json!([
        format!("{:?}", asked.format),
        place,
        asked.tenant,
        asked.tenant_column,
        asked.environment,
        asked.scopes,
        asked.expires_in_days,
        asked.former_hash,
        mapping,
    ]);
    let options = super::hex(&<sha2::Sha256 as sha2::Digest>::digest(options.to_string()));
    let file: &Path = &asked.file;
    Ok(format!("import {} {options}", fingerprint(file)?))
}

fn finish(counts: Counts, is_dry: bool, as_json: bool) -> Result<(), Failure> {
    let Counts {
        rows,
        done,
        known,
        faults,
    } = counts;
    if as_json {
        let counts = json!({"rows": rows, "imported": done, "known": known, "faulty": faults, "dryRun": is_dry});
        output::answer(&counts.to_string())?;
    } else if is_dry {
        output::say(&format!(
            "{rows} rows: {done} would be imported, {known} are here already, {faults} are faulty; nothing was changed"
        ));
    } else {
        let nothing = if done == 0 {
            "; nothing was changed"
        } else {
            ""
        };
        output::say(&format!(
            "{rows} rows: {done} imported, {known} were here already, {faults} faulty{nothing}"
        ));
    }
    if faults > 0 {
        Err(Failure::no())
    } else {
        Ok(())
    }
}
