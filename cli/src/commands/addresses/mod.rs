//! `doorward addresses`.

pub mod args;
mod sets;

use doorward_engine::layers::ip_allow::Forwarding;

use self::args::AddressesArgs;
use crate::{configuration::Document, exit::Failure, output};

/// Prints the address sets of a configuration.
///
/// # Errors
/// When the configuration cannot be read, has no addresses for every route, or more than WAF takes.
pub async fn run(args: &AddressesArgs) -> Result<(), Failure> {
    let document = Document::fetch(args.file.clone()).await?;
    let config = document.read_without_secrets()?.config;
    let addresses = &config.addresses;
    let sets = sets::of(&addresses.rules)
        .map_err(|none| Failure::refused(format!("`{}`: {none}", document.name())))?;
    if !matches!(addresses.forwarding, Forwarding::Peer) {
        output::say(
            "note: callers come through proxies here, and WAF sees the proxy unless the rule that uses a set \
             has `IPSetForwardedIPConfig`",
        );
    }
    output::answer(&sets::text(&sets, args.format, &args.name))
}
