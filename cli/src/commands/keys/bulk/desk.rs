//! Who does the commands: key administration on a table, one key after the other, or its API, several keys with each request.

use doorward_key_admin::{
    Caller, Command, KeyAdmin, Reply, SystemEntropy,
    command::{CreateKey, CreateMany, ExportKeys, ImportKey, ImportMany},
    reply::Each,
};

use super::Outcome;
use crate::{
    clock,
    commands::{admin_api::AdminApi, keys::failure},
    exit::Failure,
};

/// How many keys go with one request: an answer must come within the 29 seconds that a REST API waits.
const IN_REQUEST: usize = 25;

/// Who does them.
pub(in crate::commands::keys) enum Desk<'d> {
    /// Key administration, on a table.
    Table {
        admin: &'d KeyAdmin,
        caller: &'d Caller,
    },
    /// Its API.
    Api(&'d AdminApi),
}

/// What came of one key.
type Done = Result<Reply, Outcome>;

impl Desk<'_> {
    /// How many keys are handed over together.
    pub(super) const fn at_once(&self) -> usize {
        match self {
            Self::Table { .. } => 1,
            Self::Api(_) => IN_REQUEST,
        }
    }

    /// Brings keys; what came of each stands at its place.
    pub(super) async fn import(&self, keys: Vec<ImportKey>) -> Vec<Done> {
        let many = |keys| Command::ImportMany(ImportMany { keys });
        self.each(keys, Command::Import, many).await
    }

    /// Makes keys; what came of each stands at its place.
    pub(super) async fn create(&self, keys: Vec<CreateKey>) -> Vec<Done> {
        let many = |keys| Command::CreateMany(CreateMany { keys });
        self.each(keys, Command::Create, many).await
    }

    async fn each<K>(
        &self,
        keys: Vec<K>,
        one: fn(K) -> Command,
        many: impl Fn(Vec<K>) -> Command,
    ) -> Vec<Done> {
        let (admin, caller) = match self {
            Self::Table { admin, caller } => (admin, caller),
            Self::Api(api) => return of_api(api, keys.len(), &many(keys)).await,
        };
        let mut done = Vec::with_capacity(keys.len());
        for key in keys {
            let now = clock::wall();
            let reply = admin.run(one(key), caller, now, &SystemEntropy).await;
            done.push(reply.map_err(Outcome::from));
        }
        done
    }

    /// Whether a key would be new. Nothing is written.
    pub(super) async fn would_import(&self, key: &ImportKey) -> Result<bool, Outcome> {
        match self {
            Self::Table { admin, caller } => {
                let would = admin.would_import(key, caller, clock::wall());
                would.await.map_err(Outcome::from)
            }
            Self::Api(_) => Err(Outcome::Stop(Failure::usage(
                "a dry run looks at the table itself; name it with --table, without --api",
            ))),
        }
    }

    /// A part of a list.
    pub(super) async fn export(&self, asked: ExportKeys) -> Result<Reply, Failure> {
        let command = Command::Export(asked);
        match self {
            Self::Api(api) => api.ask(&command).await,
            Self::Table { admin, caller } => {
                let now = clock::wall();
                let reply = admin.run(command, caller, now, &SystemEntropy).await;
                reply.map_err(|error| failure(&error, false))
            }
        }
    }
}

async fn of_api(api: &AdminApi, count: usize, command: &Command) -> Vec<Done> {
    let stopped = |failure: &Failure| -> Vec<Done> {
        let each = || Err(Outcome::Stop(failure.clone()));
        std::iter::repeat_with(each).take(count).collect()
    };
    match api.ask(command).await {
        Ok(Reply::Many { results }) if results.len() == count => {
            results.into_iter().map(of_each).collect()
        }
        Ok(_) => stopped(&Failure::unavailable(
            "key administration answered something else",
        )),
        Err(failure) => stopped(&failure),
    }
}

fn of_each(each: Each) -> Done {
    match each {
        Each::Done(reply) => Ok(*reply),
        Each::Failed { error, detail } if matches!(&*error, "unavailable" | "corrupt") => {
            Err(Outcome::Stop(Failure::unavailable(detail)))
        }
        Each::Failed { detail, .. } => Err(Outcome::Fault(detail)),
    }
}
