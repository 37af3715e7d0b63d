//! Running the binary in a folder of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A running `doorward local`.
pub(crate) struct Local {
    process: Child,
    out: BufReader<ChildStdout>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("doorward-command-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, "")
    }

    /// Runs with `input` as standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ended {
        ended(&mut self.command(args), input)
    }

    /// Runs in an environment that has these variables of AWS and no others.
    pub(crate) fn run_on_aws(&self, variables: &[(&str, &str)], args: &[&str]) -> Ended {
        ended(on_aws(&mut self.command(args), variables), "")
    }

    /// Starts `doorward local` with these arguments; what it says until it is ready.
    pub(crate) fn local(&self, args: &[&str]) -> (Local, Vec<String>) {
        self.local_with(args, &[])
    }

    /// The same with these variables.
    pub(crate) fn local_with(
        &self,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> (Local, Vec<String>) {
        started(self.command(args).envs(variables.iter().copied()))
    }

    /// As [`Folder::local`], in an environment that has these variables of AWS and no others.
    pub(crate) fn local_on_aws(
        &self,
        variables: &[(&str, &str)],
        args: &[&str],
    ) -> (Local, Vec<String>) {
        started(on_aws(&mut self.command(args), variables))
    }

    /// Starts a command and does not wait for its end.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdin(Stdio::null()).spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command
            .args(args)
            .current_dir(&self.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn on_aws<'c>(command: &'c mut Command, variables: &[(&str, &str)]) -> &'c mut Command {
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    // Nobody is asked for a role of this machine, and no profile of the developer's is used.
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .envs(variables.iter().copied())
}

fn ended(command: &mut Command, input: &str) -> Ended {
    let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn started(command: &mut Command) -> (Local, Vec<String>) {
    let mut process = command.spawn().unwrap();
    let out = BufReader::new(process.stdout.take().unwrap());
    let mut local = Local { process, out };
    let mut lines = Vec::new();
    loop {
        let line = local.line();
        let is_last = line.contains("Ctrl-C");
        lines.push(line);
        if is_last {
            return (local, lines);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Local {
    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "it has ended");
        line.trim_end().to_owned()
    }

    /// Ends it; what it wrote to standard error.
    pub(crate) fn errors(mut self) -> String {
        self.process.kill().unwrap();
        let mut said = String::new();
        let mut err = self.process.stderr.take().unwrap();
        err.read_to_string(&mut said).unwrap();
        said
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(mut self, signal: &str) -> i32 {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        self.process.wait().unwrap().code().unwrap()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
