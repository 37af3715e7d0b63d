//! The scripts, and what they answer.

use doorward_engine::limits::{Bucket, LimitStoreError, State};
use doorward_keys::Digest;
use redis::{Cmd, ErrorKind, RedisError, Script, ServerErrorKind, aio::MultiplexedConnection};

use super::connection::Line;

/// The version of the stored form.
const FORMAT: &str = "1";
/// The longest name that stands in a key as it is, in bytes.
const MAX_PLAIN_BUCKET: usize = 1024;

/// A script that changes one bucket.
pub(super) struct BucketScript {
    text: &'static str,
    hash: String,
}

/// What came of a script.
pub(super) struct Answer {
    /// Whether the bucket was changed.
    pub(super) is_done: bool,
    /// The bucket as it was.
    pub(super) before: Option<State>,
}

/// Why there is no answer.
pub(super) enum Fault {
    /// The connection is of no use any more, or the server behind it. Whether the script ran is not known.
    Broken(LimitStoreError),
    /// The server refuses, or answers with what cannot be read.
    Refused(LimitStoreError),
}

impl Fault {
    pub(super) fn error(self) -> LimitStoreError {
        match self {
            Self::Broken(error) | Self::Refused(error) => error,
        }
    }
}

impl BucketScript {
    pub(super) fn new(text: &'static str) -> Self {
        let hash = Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Runs the script on `bucket`.
    pub(super) async fn run(
        &self,
        line: &Line,
        connection: &mut MultiplexedConnection,
        bucket: &Bucket,
        arguments: &[i128],
    ) -> Result<Answer, Fault> {
        let by_hash = command("EVALSHA", &self.hash, bucket, arguments);
        let mut answered = by_hash.query_async::<(i64, String)>(connection).await;
        if let Err(error) = &answered
            && error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
        {
            // Nothing has run; the text makes the server remember the script.
            let by_text = command("EVAL", self.text, bucket, arguments);
            answered = by_text.query_async(connection).await;
        }
        match answered {
            Ok((code @ (0 | 1), before)) => Ok(Answer {
                is_done: code == 1,
                before: parsed(&before, bucket).map_err(Fault::Refused)?,
            }),
            Ok(_) => Err(Fault::Refused(corrupt(bucket))),
            Err(error) => Err(fault(line, bucket, &error)),
        }
    }
}

fn command(name: &str, script: &str, bucket: &Bucket, arguments: &[i128]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(key(bucket));
    for argument in arguments {
        command.arg(argument.to_string());
    }
    command
}

fn fault(line: &Line, bucket: &Bucket, error: &RedisError) -> Fault {
    match error.kind() {
        // Something else of somebody else lies under the key.
        ErrorKind::Server(ServerErrorKind::ResponseError)
            if error.to_string().contains("WRONGTYPE") =>
        {
            Fault::Refused(corrupt(bucket))
        }
        ErrorKind::Extension if error.code() == Some("WRONGTYPE") => {
            Fault::Refused(corrupt(bucket))
        }
        ErrorKind::UnexpectedReturnType => Fault::Refused(corrupt(bucket)),
        // The server is no longer the one that counts.
        ErrorKind::Server(
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading,
        ) => Fault::Broken(line.failure(error)),
        ErrorKind::Server(_) | ErrorKind::Extension => Fault::Refused(line.failure(error)),
        _ => Fault::Broken(line.failure(error)),
    }
}

fn key(bucket: &Bucket) -> String {
    let name = bucket.as_str();
    if name.len() <= MAX_PLAIN_BUCKET {
        format!("doorward:rate:{name}")
    } else {
        format!("doorward:rate256:{}", Digest::of(name, None).to_hex())
    }
}

/// The bucket in a stored text; an empty one is an untouched bucket.
fn parsed(text: &str, bucket: &Bucket) -> Result<Option<State>, LimitStoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    let numbers: Vec<&str> = text.split(' ').collect();
    let read = |digits: &str| digits.parse::<u64>().map_err(|_| corrupt(bucket));
    match numbers.as_slice() {
        [FORMAT, mark, current, previous] => Ok(Some(State {
            mark: read(mark)?,
            current: read(current)?,
            previous: read(previous)?,
        })),
        _ => Err(corrupt(bucket)),
    }
}

/// Never says what lies there: it may be anything.
pub(super) fn corrupt(bucket: &Bucket) -> LimitStoreError {
    LimitStoreError::Corrupt(format!("`{bucket}` is not of format {FORMAT}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_our_form_is_corrupt_and_never_untouched() {
        let bucket = Bucket::of("calls", [("key", "a")]);
        let state = State {
            mark: 2,
            current: 3,
            previous: u64::MAX,
        };
        let good = format!("1 2 3 {}", u64::MAX);
        assert_eq!(parsed(&good, &bucket), Ok(Some(state)));
        for text in [
            " ",
            "1",
            "1 2 3",
            "1 2 3 4 5",
            "2 2 3 4",
            "1 -2 3 4",
            "1 2.0 3 4",
            "1  2 3 4",
            "1 2 3 4 ",
            "1 1e9 3 4",
            "1 2 3 18446744073709551616",
        ] {
            assert_eq!(parsed(text, &bucket), Err(corrupt(&bucket)), "{text}");
        }
    }

    #[test]
    fn a_long_name_is_hashed() {
        let long = "x".repeat(MAX_PLAIN_BUCKET + 1);
        let long = key(&Bucket::of(&long, []));
        assert_eq!(long.len(), "doorward:rate256:".len() + 64);
        assert_eq!(key(&Bucket::of("a", [])), "doorward:rate:a");
    }
}
