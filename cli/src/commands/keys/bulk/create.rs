//! `doorward keys create --from`.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use doorward_engine::layers::api_key::ApiKeysConfig;
use doorward_key_admin::{Reply, command::CreateKey, reply::KeyView};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    Desk, Outcome, Rows, beside, fingerprint,
    journal::{Counts, Journal},
    mapping::Mapping,
    progress::Progress,
    read::{Cells, Format, Row},
    row::Rules,
    say_fault,
};
use crate::{args::scopes, clock, commands::keys::args::Create, exit::Failure, output};

/// How many keys are made at the same time.
const AT_ONCE: usize = 8;

/// Makes a key for each row of `from`, and writes the secrets to `secrets_to`. Each row has an idempotency key of its own, so
/// that no key is made twice when the command is given again within a day.
///
/// # Errors
/// When the file cannot be understood, the table or the API does not answer, or rows are faulty.
pub(in crate::commands::keys) async fn create(
    desk: &Desk<'_>,
    config: &ApiKeysConfig,
    asked: Create,
) -> Result<(), Failure> {
    let (Some(from), Some(secrets_to)) = (&asked.many.from, &asked.many.secrets_to) else {
        return Err(Failure::usage("name both --from and --secrets-to"));
    };
    let rules = rules(&asked, config);
    let name = fingerprint(from)?;
    let path = beside(secrets_to, ".doorward-journal");
    let is_resumed = path.exists();
    let (file, written) = open(secrets_to, is_resumed)?;
    let (mut journal, before) = Journal::open(&path, &format!("create {name}"))?;
    let work = Work {
        desk,
        rules: &rules,
        name: name.get(..32).unwrap_or_default(),
        skip: usize::try_from(before.rows).unwrap_or(usize::MAX),
        secrets: Mutex::new(file),
        written,
    };
    let size = std::fs::metadata(from).map_or(0, |found| found.len());
    let Rows { mut rows, reader } = Rows::of(Format::Csv, from);
    let mut outcomes = stream::poll_fn(|context| rows.poll_recv(context))
        .enumerate()
        .chunks(desk.at_once())
        .map(|rows| work.done(rows))
        .buffered(AT_ONCE)
        .flat_map(stream::iter);
    let mut counts = before;
    let mut progress = Progress::of(size, before.rows);
    while let Some((line, offset, outcome)) = outcomes.next().await {
        match outcome {
            None => continue,
            Some(Outcome::Done) => counts.done += 1,
            Some(Outcome::Known) => counts.known += 1,
            Some(Outcome::Fault(fault)) => {
                counts.faults += 1;
                progress.clear();
                say_fault(from, line, &fault, &counts);
            }
            Some(Outcome::Stop(failure)) => {
                progress.clear();
                let message = format!("{failure}; give the command again to go on");
                return Err(Failure { message, ..failure });
            }
        }
        counts.rows += 1;
        journal.note(counts)?;
        progress.show(offset, &counts);
    }
    drop(outcomes);
    progress.clear();
    reader.await.map_err(Failure::unavailable)??;
    journal.end()?;
    let Counts {
        rows,
        done,
        known,
        faults,
    } = counts;
    output::say(&format!(
        "{rows} rows: {done} keys made, {known} were made before, {faults} faulty; the secrets are in `{}`",
        secrets_to.display()
    ));
    if faults > 0 {
        Err(Failure::no())
    } else {
        Ok(())
    }
}

fn rules(asked: &Create, config: &ApiKeysConfig) -> Rules {
    let environment = asked.environment.clone();
    let environments = &config.format.environments;
    Rules {
        format: Format::Csv,
        mapping: Mapping::default(),
        tenant: asked.tenant.clone(),
        tenant_column: None,
        environment: environment
            .or_else(|| environments.first().cloned())
            .unwrap_or_default(),
        scopes: scopes(&asked.scopes),
        expires_in_days: asked.expires_in_days,
        former: None,
        ours: config.format.clone(),
        foreign: config.imported.clone(),
        now: clock::wall(),
    }
}

struct Work<'w> {
    desk: &'w Desk<'w>,
    rules: &'w Rules,
    /// Names the file in idempotency keys.
    name: &'w str,
    skip: usize,
    secrets: Mutex<File>,
    /// The keys whose secrets were written by an earlier command.
    written: HashSet<String>,
}

impl Work<'_> {
    /// What came of each row.
    async fn done(&self, rows: Vec<(usize, Row)>) -> Vec<super::Told> {
        let make = |line, cells: &Cells| {
            let asked = self.rules.create(line, cells, self.name)?;
            Ok((line, asked))
        };
        let do_all = async |asked| self.made(asked).await;
        super::done(rows, self.skip, make, do_all).await
    }

    async fn made(&self, asked: Vec<(u64, CreateKey)>) -> Vec<Outcome> {
        let (lines, asked): (Vec<u64>, Vec<CreateKey>) = asked.into_iter().unzip();
        let done = self.desk.create(asked).await;
        let pairs = lines.into_iter().zip(done);
        pairs
            .map(|(line, reply)| match reply {
                Ok(reply) => self.kept(line, &reply),
                Err(outcome) => outcome,
            })
            .collect()
    }

    fn kept(&self, line: u64, reply: &Reply) -> Outcome {
        match reply {
            Reply::Created { key, secret } => match self.write(line, key, secret.expose()) {
                Ok(()) => Outcome::Done,
                Err(failure) => Outcome::Stop(failure),
            },
            Reply::Repeated { key, .. } if self.written.contains(&key.id) => Outcome::Known,
            Reply::Repeated { key, .. } => Outcome::Fault(format!(
                "{} was made before the interruption, and its secret was lost with it; rotate it, or revoke it and make another",
                key.id
            )),
            _ => Outcome::Fault("key administration answered something else".to_owned()),
        }
    }

    /// Writes one line with the secret, at once: it is shown this once.
    fn write(&self, line: u64, key: &KeyView, secret: &str) -> Result<(), Failure> {
        let text = json!({"line": line, "id": key.id, "tenant": key.tenant, "name": key.name, "secret": secret});
        let mut file = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(format!("{text}\n").as_bytes())
            .map_err(|error| {
                Failure::unavailable(format!(
                    "the secret of {} cannot be written: {error}; rotate it",
                    key.id
                ))
            })
    }
}

/// The file for secrets, and whose secrets are in it. It must be new, unless an earlier command began it.
fn open(path: &Path, is_resumed: bool) -> Result<(File, HashSet<String>), Failure> {
    let mut options = OpenOptions::new();
    options.append(true);
    if !is_resumed {
        options.create_new(true);
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unusable = |error: std::io::Error| {
        Failure::usage(format!(
            "`{}` cannot be used for secrets: {error}; name a file that does not exist yet",
            path.display()
        ))
    };
    let file = options.open(path).map_err(unusable)?;
    let mut written = HashSet::new();
    if is_resumed {
        let lines = BufReader::new(File::open(path).map_err(unusable)?).lines();
        for line in lines {
            let line: Option<Value> = serde_json::from_str(&line.map_err(unusable)?).ok();
            let id = line.as_ref().and_then(|line| line.get("id")?.as_str());
            written.extend(id.map(str::to_owned));
        }
    }
    Ok((file, written))
}
