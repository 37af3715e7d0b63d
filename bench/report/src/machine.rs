//! On what was measured.

use std::{fs, process::Command};

use serde_json::{Value, json};

/// Processor, kernel and versions.
pub fn described() -> Value {
    let said = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |name: &str| {
        let mut lines = processors.lines().filter(|line| line.starts_with(name));
        let value = lines.next().and_then(|line| line.split_once(':'));
        value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let count = processors
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    json!({
        "processor": of("model name"),
        "processors": count,
        "kernel": said("uname", "-r"),
        "rustc": said("rustc", "--version"),
        "node": said("node", "--version"),
        "python": said("python3", "--version"),
        "date": said("date", "+%F"),
    })
}

/// How many processes wanted a processor in the last minute, on the mean (proc(5), `loadavg`): about 1 where nothing but the
/// measurement ran.
pub fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
