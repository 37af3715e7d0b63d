//! One process under Lambda, and what the system says of it.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use doorward_authorizer::clock::stopwatch;

use crate::{
    candidates::Candidate,
    lambda::{Answered, Lambda},
};

/// A running function. It ends when dropped.
pub(crate) struct Function {
    child: Child,
    pub(crate) lambda: Lambda,
    spawned: Duration,
}

impl Function {
    /// Starts `candidate` with these variables and no others. `$LAMBDA` in a value stands for the address of Lambda, where the key set is
    /// too.
    pub(crate) fn spawn(candidate: &Candidate, key_set: &str) -> anyhow::Result<Self> {
        let lambda = Lambda::start(key_set.to_owned())?;
        let address = lambda.address.to_string();
        let (program, arguments) = candidate.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", path).envs([
            ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "authorizer"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("NODE_NO_WARNINGS", "1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ]);
        for (name, value) in &candidate.variables {
            command.env(name, value.replace("$LAMBDA", &address));
        }
        command.stdout(Stdio::null()).stdin(Stdio::null());
        let spawned = stopwatch();
        let child = command
            .spawn()
            .with_context(|| format!("`{program}` cannot be started"))?;
        Ok(Self {
            child,
            lambda,
            spawned,
        })
    }

    /// From its start to its first question for an event.
    pub(crate) fn init(&self) -> anyhow::Result<Duration> {
        Ok(self.lambda.ready()?.saturating_sub(self.spawned))
    }

    /// From its start to this answer.
    pub(crate) fn since_start(&self, answered: &Answered) -> Duration {
        answered.at.saturating_sub(self.spawned)
    }

    /// The time on a processor of all its threads so far (proc(5), `schedstat`).
    pub(crate) fn on_cpu(&self) -> anyhow::Result<Duration> {
        let mut sum: u64 = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let nanos = text.split(' ').next().and_then(|word| word.parse().ok());
            sum = sum.saturating_add(nanos.unwrap_or(0));
        }
        Ok(Duration::from_nanos(sum))
    }

    /// The most memory that it has had, in KiB (proc(5), `VmHWM`).
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
        kib.context("no peak of memory in /proc")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // As Lambda ends one: by a word, so that a profiler can write what it saw. It may have ended before.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..200 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
