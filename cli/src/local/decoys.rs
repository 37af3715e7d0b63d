//! Uses of decoys beside the local gateway: the lines of the authorizer's log that tell of one reach key administration, as
//! CloudWatch Logs brings them there, and the first use of each is told.

use std::sync::Arc;

use doorward_authorizer::log::Sink;
use doorward_key_admin::{KeyAdmin, SystemEntropy, access_log::LogEvent, leaks::decoy::DecoyUse};
use tokio::sync::mpsc::{Receiver, channel};

use crate::{
    clock,
    output::{self, BAD, WARN, one_line, styled},
};

/// How many uses may wait. Where more come at once, some are lost; each decoy is told of once anyway.
const WAITING: usize = 1024;

/// Where the authorizer writes its lines, and what is to run beside the gateway. That ends when the authorizer is gone and every
/// use is told. Where no keys are accepted, lines go nowhere.
pub(super) fn open(admin: Option<KeyAdmin>) -> (Sink, impl Future<Output = Result<(), String>>) {
    let (uses, told) = channel(WAITING);
    let sink: Sink = Arc::new(move |line: &str| {
        let event = LogEvent {
            id: String::new(),
            timestamp: clock::wall().unix().saturating_mul(1000),
            message: line.to_owned(),
        };
        if let Some(seen) = DecoyUse::read(&event) {
            // Nobody waits for an alarm, neither where there are many nor where nobody listens.
            let _ = uses.try_send(seen);
        }
    });
    (sink, tell(admin, told))
}

async fn tell(admin: Option<KeyAdmin>, mut uses: Receiver<DecoyUse>) -> Result<(), String> {
    let Some(admin) = admin else {
        // What ends here ends the gateway.
        while uses.recv().await.is_some() {}
        return Ok(());
    };
    while let Some(seen) = uses.recv().await {
        match admin.decoy_used(&seen, clock::wall(), &SystemEntropy).await {
            Ok(false) => {}
            Ok(true) => {
                let alarm = styled(BAD, "alarm");
                let from = seen.address.map(|address| format!(" from {address}"));
                let from = from.unwrap_or_default();
                output::say(&format!(
                    "{alarm} the decoy {} was used for the first time{from}",
                    seen.key
                ));
            }
            Err(error) => {
                let warning = styled(WARN, "warning");
                let error = one_line(&error.to_string());
                output::say(&format!(
                    "{warning} the use of a decoy is not told: {error}"
                ));
            }
        }
    }
    Ok(())
}
