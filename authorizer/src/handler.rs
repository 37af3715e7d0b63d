//! One event in, one answer out: decode, decide, encode, and the line in the log.
//!
//! Whatever goes wrong in between is a refusal. A bad configuration refuses everything, a panic ends its own request only,
//! and an answer is given before the function's time is up, because a timeout tells the gateway nothing.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use doorward_engine::{
    Class, Decision, Denial, Reason, Request, Trail, Verdict,
    config::{AnswersConfig, Fault},
    limits::Moment,
    usage::{Uncounted, UsageBuffer, UsageConfig},
};

use crate::{
    counting,
    event::{Event, EventKind, decode},
    log,
    response::{Answer, Asker, Encoded, Refusal, encode},
};

/// What is kept of the function's time to encode the answer and send it.
const MARGIN: Duration = Duration::from_millis(150);

/// What of the margin is left to whatever decides, to say that it is late.
const GRACE: Duration = Duration::from_millis(50);

/// What the runtime says of one invocation.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request id of the invocation.
    pub request_id: String,
    /// The X-Ray trace id.
    pub trace_id: Option<String>,
    /// When the event was received, by our own clock.
    pub received_at: Moment,
    /// How long the function may still run; `None` where nobody stops it.
    pub time_left: Option<Duration>,
}

/// What decides: the engine, as much of it as this needs.
#[async_trait]
pub trait Decide: Send + Sync {
    /// The verdict on `request`, within the given time where there is a bound. Cannot fail; a fault inside is a denial.
    async fn decide(&self, request: &Request, within: Option<Duration>) -> Verdict;

    /// How answers are shaped.
    fn answers(&self) -> &AnswersConfig;

    /// How the use of API keys is counted.
    fn usage(&self) -> UsageConfig {
        UsageConfig::default()
    }
}

/// A decision with everything around it.
#[derive(Debug)]
pub struct Explained {
    /// What sent the event.
    pub kind: EventKind,
    /// What was decided, and how.
    pub verdict: Verdict,
    /// What the gateway gets.
    pub answer: Result<Answer, Refusal>,
    /// Why the answer refuses although the engine allowed, if it does.
    pub overruled: Option<Reason>,
    /// Why the store did not count the call at once, where it was to.
    pub uncounted: Option<Uncounted>,
    /// How long all of it took.
    pub took: Duration,
    /// What was asked. Its secrets are overwritten when it goes, which can wait until the answer has left.
    pub request: Option<Request>,
}

/// Gives the engine in force, or says why there is none and everything is to be refused.
pub type InForce = dyn Fn() -> Result<Arc<dyn Decide>, Arc<str>> + Send + Sync;

/// The function. One for the life of the process, shared between concurrent requests.
pub struct Authorizer {
    in_force: Box<InForce>,
    sink: log::Sink,
    stopwatch: fn() -> Duration,
    usage: Option<Arc<UsageBuffer>>,
}

impl Authorizer {
    /// Serves with `engine`. `stopwatch` is a monotonic clock: time since some fixed moment.
    pub fn new(
        engine: impl Decide + 'static,
        sink: log::Sink,
        stopwatch: fn() -> Duration,
    ) -> Self {
        let engine: Arc<dyn Decide> = Arc::new(engine);
        Self::serving(Box::new(move || Ok(Arc::clone(&engine))), sink, stopwatch)
    }

    /// Refuses everything, because of `faults`, and says so in the log now and at each request.
    pub fn shut(faults: &[Fault], sink: log::Sink, stopwatch: fn() -> Duration) -> Self {
        log::config_invalid(&sink, faults);
        let why: Arc<str> = summary(faults).into();
        Self::serving(Box::new(move || Err(Arc::clone(&why))), sink, stopwatch)
    }

    /// Serves each request with what is in force then.
    pub fn serving(in_force: Box<InForce>, sink: log::Sink, stopwatch: fn() -> Duration) -> Self {
        Self {
            in_force,
            sink,
            stopwatch,
            usage: None,
        }
    }

    /// Counts the use of API keys in `usage`.
    pub fn counting(self, usage: Arc<UsageBuffer>) -> Self {
        Self {
            usage: Some(usage),
            ..self
        }
    }

    /// Answers `event`, counts the use of the key and writes the line of the decision.
    pub async fn handle(&self, event: &Event<'_>, call: &Call) -> Result<Answer, Refusal> {
        self.handle_explained(event, call).await.answer
    }

    /// The same, and says how the answer came about.
    pub async fn handle_explained(&self, event: &Event<'_>, call: &Call) -> Explained {
        let explained = self.decide(event, call).await;
        self.tell(&explained, call);
        explained
    }

    /// Writes the line of a decision.
    pub fn tell(&self, explained: &Explained, call: &Call) {
        log::decision(&self.sink, explained, call);
    }

    /// Answers `event`, counts the use of the key, and says how the answer came about. The line is left to
    /// [`Authorizer::tell`], which can wait until the answer has left.
    pub async fn decide(&self, event: &Event<'_>, call: &Call) -> Explained {
        self.work(event, call, self.usage.as_deref()).await
    }

    /// Answers `event` without writing or counting anything, and says how the answer came about.
    pub async fn explain(&self, event: &Event<'_>, call: &Call) -> Explained {
        self.work(event, call, None).await
    }

    async fn work(&self, event: &Event<'_>, call: &Call, usage: Option<&UsageBuffer>) -> Explained {
        let begun = (self.stopwatch)();
        let mut decoded = decode(event, call.received_at);
        if let Ok(request) = &mut decoded.request {
            request.time_left = call.time_left.map(|left| left.saturating_sub(MARGIN));
        }
        let asker = Asker {
            kind: decoded.kind,
            asked: decoded.asked.as_ref(),
            received_at: call.received_at.timestamp(),
        };
        let mut uncounted = None;
        let (verdict, encoded) = match (self.in_force)() {
            Err(why) => {
                let verdict = refused(Denial::new(Reason::ConfigInvalid, &*why));
                (
                    verdict,
                    Encoded {
                        answer: Err(Refusal::Failed),
                        overruled: None,
                    },
                )
            }
            Ok(engine) => {
                let verdict = match &decoded.request {
                    Err(denial) => refused(denial.clone()),
                    Ok(request) => in_time(&*engine, request, call.time_left).await,
                };
                let encoded = encode(&verdict, asker, engine.answers());
                if let Some(usage) = usage {
                    let took = (self.stopwatch)().saturating_sub(begun);
                    let left = call
                        .time_left
                        .map(|left| left.saturating_sub(MARGIN + took));
                    let config = engine.usage();
                    let overruled = encoded.overruled;
                    let counting = counting::count(usage, &config, &verdict, overruled, call, left);
                    uncounted = counting.await.err();
                }
                let instead = uncounted.as_ref();
                match instead.and_then(|failed| counting::instead(&verdict, failed)) {
                    None => (verdict, encoded),
                    Some(verdict) => {
                        let encoded = encode(&verdict, asker, engine.answers());
                        (verdict, encoded)
                    }
                }
            }
        };
        Explained {
            kind: decoded.kind,
            verdict,
            answer: encoded.answer,
            overruled: encoded.overruled,
            uncounted,
            took: (self.stopwatch)().saturating_sub(begun),
            request: decoded.request.ok(),
        }
    }
}

/// How many faults there are and what the first is, in one line.
pub(crate) fn summary(faults: &[Fault]) -> String {
    let Some(first) = faults.first() else {
        return "there is no configuration".to_owned();
    };
    let place = if first.path.is_empty() {
        String::new()
    } else {
        format!("`{}` ", first.path)
    };
    format!(
        "faults in the configuration: {}; the first: {place}{}",
        faults.len(),
        first.message
    )
}

fn refused(denial: Denial) -> Verdict {
    Verdict {
        decision: Decision::Deny(denial),
        trail: Trail::default(),
    }
}

/// The verdict of `engine`, or a refusal when it panics. What decides knows how long it may take and says what it was
/// waiting for; a decider that takes longer all the same is given up.
async fn in_time(engine: &dyn Decide, request: &Request, time_left: Option<Duration>) -> Verdict {
    let within = time_left.map(|left| left.saturating_sub(MARGIN));
    let deciding = caught(engine.decide(request, within));
    let outcome = match within {
        None => Ok(deciding.await),
        Some(within) => tokio::time::timeout(within.saturating_add(GRACE), deciding).await,
    };
    match outcome {
        Ok(Some(verdict)) => verdict,
        Ok(None) => refused(Denial::new(
            Reason::Internal,
            "the decision panicked; the line before says where",
        )),
        Err(_) => refused(Denial::new(
            Reason::TimeExhausted,
            "no decision within the time of the function",
        )),
    }
}

/// The output of `future`, or `None` when polling it panics. It is not polled again then, and what it shares with other
/// requests is behind locks that do not stay locked.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}

const _: () = assert!(
    matches!(Reason::Internal.class(), Class::Unavailable)
        && matches!(Reason::TimeExhausted.class(), Class::Unavailable),
    "a fault of ours is never cached"
);

#[cfg(test)]
mod tests;
