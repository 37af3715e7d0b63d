//! The crowd: starts the processes, lets them go at once, and gathers what they report.

use std::process::Stdio;

use doorward_engine::limits::Rule;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::Instant,
};

use super::{
    bounds,
    caller::{Admission, MARK, Report},
    job::{Clock, Job, VARIABLE},
};

/// What was seen of all processes together.
pub(crate) struct Seen {
    asked: u64,
    admitted: Vec<Admission>,
    millis: u128,
}

pub(crate) async fn run(job: &Job) -> Seen {
    let mut processes = Vec::new();
    for _ in 0..job.processes {
        processes.push(Process::start(job));
    }
    for process in &mut processes {
        assert_eq!(process.line().await, "ready");
    }
    let begun = Instant::now();
    for process in &mut processes {
        process.go().await;
    }
    let mut seen = Seen {
        asked: 0,
        admitted: Vec::new(),
        millis: 0,
    };
    for process in &mut processes {
        let report: Report = serde_json::from_str(&process.line().await).unwrap();
        seen.asked += report.asked;
        seen.admitted.extend(report.admitted);
    }
    seen.millis = begun.elapsed().as_millis();
    for mut process in processes {
        assert!(process.child.wait().await.unwrap().success());
    }
    seen
}

impl Seen {
    /// Nothing above the bound; and at one moment exactly the limit where every call asks the store. Where processes lease, all
    /// but what they may keep for themselves: one lease each, and for tokens the one that the store is short of.
    pub(crate) fn check(&self, job: &Job, rule: &Rule) {
        bounds::hold(rule, &self.admitted);
        if job.clock == Clock::Standing {
            let admitted = self.admitted.len() as u64;
            let callers = (job.processes * job.tasks) as u64;
            assert_eq!(self.asked, callers * job.calls, "{job}");
            assert!(self.asked > 2 * job.limit, "{job}: too few asked");
            assert!(admitted <= job.limit, "{job}: {admitted}");
            let kept = job.leased().map_or(0, |lease| {
                let of_processes = (lease - 1) * job.processes as u64;
                let of_store = job.limit - job.held_by_the_store();
                of_processes + of_store
            });
            assert!(admitted + kept >= job.limit, "{job}: {admitted}");
        } else {
            assert!(!self.admitted.is_empty(), "{job}");
        }
    }
}

impl Seen {
    /// What was seen, in words; at one moment with the part of the limit that was used.
    pub(crate) fn told(&self, job: &Job) -> String {
        let admitted = self.admitted.len();
        let used = match job.clock {
            Clock::Standing => format!(", {} % of the limit", admitted as u64 * 100 / job.limit),
            Clock::Running => String::new(),
        };
        format!(
            "{} processes of {} callers asked {} times in {} ms, {admitted} admitted{used}",
            job.processes, job.tasks, self.asked, self.millis
        )
    }
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(job: &Job) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut child = Command::new(own)
            .args(["--ignored", "--exact", "a_process_of_the_crowd"])
            .args(["--nocapture", "--test-threads", "1"])
            .env(VARIABLE, serde_json::to_string(job).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    async fn go(&mut self) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(b"go\n").await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// The next line that is meant for the parent.
    async fn line(&mut self) -> String {
        while let Some(line) = self.lines.next_line().await.unwrap() {
            if let Some(text) = line.strip_prefix(MARK) {
                return text.to_owned();
            }
        }
        panic!("a process of the crowd ended without a word");
    }
}
