//! From how callers call to what it costs.
//!
//! Callers with API keys call evenly. The gateway keeps an answer for its time to live, so the first call of that time reaches
//! the function and the others do not. What reaches it is spread evenly over its sandboxes; each remembers keys for
//! `cache_seconds`, adds up usage, and takes limits out in leases. A call that waits for the table is billed for the wait.

use super::prices::{COMPUTE, LOGS, READ_UNIT, REQUEST, WRITE_UNIT};

/// At so much memory a function has one processor (AWS: Configure Lambda function memory).
const MEGABYTES_PER_PROCESSOR: f64 = 1769.0;

/// How callers call, and what stands in between.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Of one caller.
    pub calls_per_minute: f64,
    /// The time to live of the gateway's cache, in seconds; 0 is no cache.
    pub ttl: f64,
    /// How long a sandbox remembers a key, in seconds.
    pub cache_seconds: f64,
    /// How long a sandbox adds up usage before it writes, in seconds; `None` writes for each call.
    pub flush_seconds: Option<f64>,
    /// How many calls a sandbox takes out of a limit at once; `None` without a limit.
    pub lease: Option<f64>,
    /// So many take turns.
    pub sandboxes: f64,
}

/// The function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// In megabytes.
    pub memory: f64,
    /// Of one call with everything in memory, in microseconds of one processor.
    pub warm_cpu: f64,
    /// Of one call that reads the table.
    pub reading_cpu: f64,
    /// What it waits for one operation on the table, in milliseconds.
    pub wait: f64,
    /// What one call writes into the log, in bytes.
    pub line: f64,
}

/// What a million requests at the gateway come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bill {
    /// Calls of the function.
    pub invocations: f64,
    /// Read request units.
    pub reads: f64,
    /// Write request units.
    pub writes: f64,
    /// Dollars for calls and time of the function.
    pub lambda: f64,
    /// Dollars for the tables.
    pub dynamodb: f64,
    /// Dollars for the log.
    pub logs: f64,
}

impl Bill {
    /// Dollars.
    pub fn total(&self) -> f64 {
        self.lambda + self.dynamodb + self.logs
    }
}

impl Setting {
    /// Of all requests, the part that the gateway answers by itself.
    pub fn hit_rate(&self) -> f64 {
        1.0 - 1.0 / within(self.calls_per_minute, self.ttl)
    }

    /// What a million requests cost.
    pub fn bill(&self, function: &Function) -> Bill {
        let invoked = 1.0 - self.hit_rate();
        // One caller at one sandbox.
        let rate = self.calls_per_minute * invoked / self.sandboxes;
        let read = 1.0 / within(rate, self.cache_seconds);
        let counted = self
            .flush_seconds
            .map_or(1.0, |age| 1.0 / within(rate, age));
        let leased = self.lease.map_or(0.0, |lease| 1.0 / lease);
        // Usage is written behind the answer where it is added up; all waits are billed.
        let waits = (read + counted + leased) * function.wait;
        let cpu = function.warm_cpu + read * (function.reading_cpu - function.warm_cpu);
        let processors = (function.memory / MEGABYTES_PER_PROCESSOR).min(1.0);
        let milliseconds = cpu / 1000.0 / processors + waits + HALF;
        let gigabyte_seconds = milliseconds / 1000.0 * function.memory / 1024.0;
        let invocations = 1e6 * invoked;
        Bill {
            invocations,
            reads: invocations * read,
            writes: invocations * (counted + leased),
            lambda: invoked * REQUEST.dollars + invocations * gigabyte_seconds * COMPUTE.dollars,
            dynamodb: invoked
                * (read * READ_UNIT.dollars + (counted + leased) * WRITE_UNIT.dollars),
            logs: invocations * function.line / 1e9 * LOGS.dollars,
        }
    }
}

/// What is lost by billing whole milliseconds, in the middle.
const HALF: f64 = 0.5;

/// How many calls one that is remembered for `seconds` stands for, at so many calls a minute: itself and those that follow.
fn within(calls_per_minute: f64, seconds: f64) -> f64 {
    1.0 + calls_per_minute * seconds / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: Function = Function {
        memory: 256.0,
        warm_cpu: 150.0,
        reading_cpu: 350.0,
        wait: 4.0,
        line: 1000.0,
    };

    const NAIVE: Setting = Setting {
        calls_per_minute: 60.0,
        ttl: 0.0,
        cache_seconds: 0.0,
        flush_seconds: None,
        lease: None,
        sandboxes: 1.0,
    };

    #[test]
    fn the_naive_design_reads_and_writes_for_each_request() {
        let bill = NAIVE.bill(&FUNCTION);
        assert!((bill.invocations - 1e6).abs() < 1.0 && (bill.reads - 1e6).abs() < 1.0);
        assert!((bill.writes - 1e6).abs() < 1.0);
        assert!((bill.dynamodb - 0.75).abs() < 1e-9, "{bill:?}");
        // 350 µs at 256/1769 of a processor are 2.42 ms, and 8 ms are waited.
        let seconds = (0.35 * 1769.0 / 256.0 + 8.0 + 0.5) / 1000.0;
        let lambda = 0.2 + 1e6 * seconds * 0.25 * 0.000_013_333_4;
        assert!((bill.lambda - lambda).abs() < 1e-9, "{bill:?}");
        assert!((bill.logs - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_cache_answers_all_but_the_first_of_its_time() {
        let cached = Setting {
            ttl: 300.0,
            ..NAIVE
        };
        assert!((cached.hit_rate() - 300.0 / 301.0).abs() < 1e-9);
        assert!((cached.bill(&FUNCTION).invocations - 1e6 / 301.0).abs() < 1e-3);
        assert!(NAIVE.hit_rate().abs() < 1e-9);
    }

    #[test]
    fn each_saving_only_saves() {
        let total = |setting: Setting| setting.bill(&FUNCTION).total();
        let limited = Setting {
            lease: Some(1.0),
            ..NAIVE
        };
        assert!(total(limited) > total(NAIVE));
        assert!(
            total(Setting {
                lease: Some(10.0),
                ..limited
            }) < total(limited)
        );
        assert!(
            total(Setting {
                cache_seconds: 60.0,
                ..NAIVE
            }) < total(NAIVE)
        );
        assert!(
            total(Setting {
                flush_seconds: Some(60.0),
                ..NAIVE
            }) < total(NAIVE)
        );
        let spread = Setting {
            cache_seconds: 60.0,
            ..NAIVE
        };
        assert!(
            total(Setting {
                sandboxes: 10.0,
                ..spread
            }) > total(spread)
        );
    }
}
