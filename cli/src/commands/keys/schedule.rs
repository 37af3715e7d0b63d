//! `doorward keys schedule`.

use clap::Args as ClapArgs;
use doorward_key_admin::{
    Command,
    command::{ChangeKey, ScheduleRotation},
};
use doorward_keys::Timestamp;

use crate::exit::Failure;

const SECONDS_OF_DAY: i64 = 86_400;

/// `schedule`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  doorward keys schedule key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --in 30d
  doorward keys schedule key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --in 30d --every 60d \\
      --secret secretsmanager:partners/acme
  doorward keys schedule key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --off

Without --secret, the event `KeyRotationDue` goes out, and whoever hears of it
rotates the key. A rotation happens where the minute's job of key administration
runs.")]
pub struct Args {
    /// The id of the key.
    #[arg(value_name = "ID")]
    pub id: String,
    /// In which time, such as `30d`.
    #[arg(
        long = "in",
        value_name = "TIME",
        value_parser = crate::duration::not_negative,
        required_unless_present_any = ["at", "off"],
        conflicts_with_all = ["at", "off"]
    )]
    pub after: Option<i64>,
    /// When, in seconds since the epoch.
    #[arg(long, value_name = "SECONDS", conflicts_with = "off")]
    pub at: Option<i64>,
    /// After which time each successor is rotated in turn, in whole days, such as `60d`.
    #[arg(long, value_name = "TIME", value_parser = crate::duration::not_negative, conflicts_with = "off")]
    pub every: Option<i64>,
    /// For how long the old key works beside the new one, such as `12h`. Without, a day.
    #[arg(long, value_name = "TIME", value_parser = crate::duration::not_negative, conflicts_with = "off")]
    pub overlap: Option<i64>,
    /// How long the successor lives, in days.
    #[arg(long, value_name = "DAYS", conflicts_with = "off")]
    pub expires_in_days: Option<u32>,
    /// Where the printed successor goes: `secretsmanager:NAME`.
    #[arg(long, value_name = "SECRET", conflicts_with = "off")]
    pub secret: Option<String>,
    /// Take back what was scheduled.
    #[arg(long)]
    pub off: bool,
    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The version that you have seen; without, any.
    #[arg(long, value_name = "NUMBER")]
    pub expected_version: Option<u64>,
}

impl Args {
    pub(super) fn into_command(self, now: Timestamp) -> Result<Command, Failure> {
        if self.off {
            return Ok(Command::Unschedule(ChangeKey {
                id: self.id,
                expected_version: self.expected_version,
                reason: self.reason,
            }));
        }
        let every_days = match self.every {
            Some(every) if every % SECONDS_OF_DAY != 0 => {
                return Err(Failure::usage("`--every` takes whole days, such as `60d`"));
            }
            every => every.map(|every| u32::try_from(every / SECONDS_OF_DAY).unwrap_or(u32::MAX)),
        };
        Ok(Command::Schedule(ScheduleRotation {
            id: self.id,
            at: self.at.or(self.after.map(|after| now.plus(after).unix())),
            in_days: None,
            every_days,
            overlap_seconds: self
                .overlap
                .map(|overlap| u32::try_from(overlap).unwrap_or(u32::MAX)),
            expires_in_days: self.expires_in_days,
            secret: self.secret,
            expected_version: self.expected_version,
            reason: self.reason,
        }))
    }
}
