//! The function on the Lambda runtime: what comes in goes to the handler, and after an answer has left there is time to
//! write what was counted and to refresh.
//!
//! The runtime polls for the next event only when the outermost service is done, and the innermost has sent the answer by
//! then (AWS: Lambda runtime API). So what a layer does after its inner service delays nobody but the next event in this
//! sandbox: the line of the decision is written then. At the end of the process there is a little time as well; see `ending`.
//!
//! The reader of the runtime would note the path of every value of an event, for errors that nobody sees, and keep nothing of
//! it where it is. So an event goes past it, to our own.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{self, Poll},
    time::Duration,
};

use bytes::Bytes;
use lambda_runtime::{
    Context, Diagnostic, Error, LambdaEvent, LambdaInvocation, Runtime, service_fn, tower,
};

use crate::{
    Answer, Call, Event, Explained, Refusal, clock,
    ending::{self, Ending},
    wiring::Service,
};

/// What is kept of the function's time at its very end.
const MARGIN: Duration = Duration::from_millis(250);

/// How long a decision may take where the runtime states no time: an HTTP API waits for 10 seconds (AWS: quotas of HTTP APIs).
const LONGEST: Duration = Duration::from_secs(9);

/// How long the work after an answer may take where the runtime states no time.
const UNBOUNDED: Duration = Duration::from_secs(3);

/// When the end of the process is late: Lambda ends it after 500 ms.
const END: Duration = Duration::from_millis(450);

/// How long it goes on then, where somebody leaves it more time than Lambda does.
const OVERTIME: Duration = Duration::from_millis(1500);

/// What stands in place of an event for the reader of the runtime.
const READ_ELSEWHERE: &[u8] = b"null";

tokio::task_local! {
    /// The turn of the invocation that is answered.
    static TURN: Arc<Turn>;
}

/// One invocation, from its event to its line.
#[derive(Default)]
struct Turn {
    event: Bytes,
    /// What was decided, once it was.
    decided: OnceLock<(Explained, Call)>,
}

/// Serves with what `starting` comes to, until the sandbox ends: one event after the other, or as many at once as
/// `AWS_LAMBDA_MAX_CONCURRENCY` says.
pub async fn run(starting: impl Future<Output = Service>) -> Result<(), Error> {
    let mut ending = Ending::listen();
    let (service, registered) = tokio::join!(starting, ending::register());
    let service = Arc::new(service);
    let handler = {
        let service = Arc::clone(&service);
        service_fn(move |invoked: LambdaEvent<()>| answer(Arc::clone(&service), invoked.context))
    };
    let runtime = Runtime::new(handler).layer(tower::layer::layer_fn(|inner| TakingTurns {
        inner,
        service: Arc::clone(&service),
    }));
    if let Err(why) = registered {
        service.is_unheard(&why);
    }
    // What is under way when the signal comes is given up: Lambda sends it between two events.
    tokio::select! {
        served = runtime.run_concurrent() => served,
        () = ending.told() => {
            service.finish(END, OVERTIME).await;
            Ok(())
        }
    }
}

/// Writes the line of what was decided in a turn when it goes: after the answer, also where the end of the process comes first.
struct Telling {
    turn: Arc<Turn>,
    service: Arc<Service>,
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some((explained, call)) = self.turn.decided.get() {
            self.service.authorizer().tell(explained, call);
        }
    }
}

async fn answer(service: Arc<Service>, context: Context) -> Result<Answer, Diagnostic> {
    // Outside of a turn there is no event, which is refused.
    let turn = TURN.try_with(Arc::clone).unwrap_or_default();
    let call = Call {
        request_id: context.request_id,
        trace_id: context.xray_trace_id,
        received_at: clock::moment(),
        time_left: Some(clock::left_until(context.deadline).unwrap_or(LONGEST)),
    };
    let event = Event::parse(&turn.event);
    let mut explained = service.authorizer().decide(&event, &call).await;
    // The line does not say what the answer is.
    let answer = mem::replace(&mut explained.answer, Err(Refusal::Failed));
    let answer = answer.map_err(|refusal| Diagnostic {
        error_type: refusal.error_type().to_owned(),
        error_message: refusal.message().to_owned(),
    });
    // Nobody else decides in this turn.
    let _ = turn.decided.set((explained, call));
    answer
}

/// Lets `inner` answer, then has done what waited for that.
#[derive(Clone)]
struct TakingTurns<S> {
    inner: S,
    service: Arc<Service>,
}

impl<S> tower::Service<LambdaInvocation> for TakingTurns<S>
where
    S: tower::Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let deadline = invocation.context.deadline;
        let turn = Arc::new(Turn {
            event: mem::replace(&mut invocation.body, Bytes::from_static(READ_ELSEWHERE)),
            ..Turn::default()
        });
        let answering = TURN.scope(Arc::clone(&turn), self.inner.call(invocation));
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let telling = Telling {
                turn,
                service: Arc::clone(&service),
            };
            let answered = answering.await;
            drop(telling);
            service
                .refresh(
                    clock::left_until(deadline)
                        .map_or(UNBOUNDED, |left| left.saturating_sub(MARGIN)),
                )
                .await;
            answered
        })
    }
}
