//! `doorward block`: tokens that must die before they expire, on a table or over the API.

pub mod args;
mod render;
mod request;
mod token;

use std::sync::Arc;

use doorward_backends::dynamodb::{DynamoBlocks, Patience};
use doorward_key_admin::{
    BlockAdmin, BlockPolicy, Caller, Command, Reply, SystemEntropy,
    command::{ListBlocks, UnblockTokens},
    reply::BlockReply,
};

use self::args::{Action, BlockArgs, Part};
use super::{
    admin_api::{self, AdminApi},
    keys::{LONGEST_TTL, failure, user},
};
use crate::{
    clock,
    exit::Failure,
    output,
    state::StateFolder,
    target::{Secrets, Target},
};

/// Does one command and shows what comes of it.
///
/// # Errors
/// See [`crate::exit`].
pub async fn run(args: BlockArgs) -> Result<(), Failure> {
    if let Some(address) = &args.api {
        admin_api::alone(args.table.as_deref())?;
        return over_api(address, args.action, args.json).await;
    }
    let target = Target {
        table: args.table.as_deref(),
        endpoint: args.endpoint.as_deref(),
        config: args.config.as_ref(),
    };
    // Whoever reaches the table must be able to block at once: no secret is needed for it.
    let config = target.configuration(Secrets::StoodInFor).await?.config;
    let policy = BlockPolicy::of(&config).ok_or_else(|| {
        Failure::usage("the configuration has no `block_list`, so that no token would be refused")
    })?;
    let tables = target.tables(Patience::ADMIN).await.ok_or_else(|| {
        Failure::usage(
            "no `doorward local` runs in this folder; start it, or name a table with --table",
        )
    })?;
    let is_local = args.table.is_none();
    let mut admin = BlockAdmin::new(
        policy,
        Arc::new(DynamoBlocks::new(tables.client, tables.keys)),
    );
    let running = StateFolder::here().find().filter(|_| is_local);
    let of_running = running.map(|one| u32::try_from(one.ttl_seconds).unwrap_or(u32::MAX));
    // Of a deployed stage nothing is known here, so the longest is promised.
    let gateway_ttl = args.gateway_ttl.or(of_running).unwrap_or(LONGEST_TTL);
    admin = admin.with_gateway_ttl(gateway_ttl);
    let caller = Caller::operator(&format!("doorward block by {}", user()));
    let now = clock::wall();
    let done = match args.action {
        Action::Add(add) => {
            let asked = request::added(add, config.token_issuers(), now)?;
            admin.block(&asked, &caller, now, &SystemEntropy).await
        }
        Action::Remove(remove) => {
            let asked = UnblockTokens {
                id: remove.id,
                reason: remove.reason,
            };
            admin.unblock(&asked, &caller, now, &SystemEntropy).await
        }
        Action::List(part) => admin.list(&asked(part), &caller, now).await,
        Action::Audit(part) => admin.changes(&asked(part), &caller, now).await,
    };
    show(&done.map_err(|error| failure(&error, is_local))?, args.json)
}

/// Does one command over the API at `address`. Which issuers there are is known there.
async fn over_api(address: &str, action: Action, as_json: bool) -> Result<(), Failure> {
    let command = match action {
        Action::Add(add) => Command::Block(request::added(add, std::iter::empty(), clock::wall())?),
        Action::Remove(remove) => Command::Unblock(UnblockTokens {
            id: remove.id,
            reason: remove.reason,
        }),
        Action::List(part) => Command::Blocks(asked(part)),
        Action::Audit(part) => Command::BlockChanges(asked(part)),
    };
    match AdminApi::at(address).await?.ask(&command).await? {
        Reply::OfBlocks(reply) => show(&reply, as_json),
        _ => Err(Failure::unavailable(
            "key administration answered something else",
        )),
    }
}

fn asked(part: Part) -> ListBlocks {
    ListBlocks {
        limit: part.limit,
        cursor: part.cursor,
    }
}

fn show(reply: &BlockReply, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let text = serde_json::to_string_pretty(reply).map_err(Failure::unavailable)?;
        return output::answer(&text);
    }
    let shown = render::render(reply);
    output::say(&shown.said);
    match shown.answer.as_str() {
        "" => Ok(()),
        answer => output::answer(answer),
    }
}
