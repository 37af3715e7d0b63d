//! The function on the Lambda runtime: what comes in goes to the handler, and after an answer has left there is time to
//! write what was counted and to refresh.
//!
//! The runtime polls for the next event only when the outermost service is done, and the innermost has sent the answer by
//! then (AWS: Lambda runtime API). So what a layer does after its inner service delays nobody but the next event in this
//! sandbox. At the end of the process there is a little time as well; see `ending`.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use lambda_runtime::{Error, LambdaEvent, LambdaInvocation, Runtime, service_fn, tower};

use crate::{
    Answer, Call, Event, Refusal, clock,
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

/// Serves until the sandbox ends: one event after the other, or as many at once as `AWS_LAMBDA_MAX_CONCURRENCY` says.
pub async fn run(service: Service) -> Result<(), Error> {
    let mut ending = Ending::listen();
    let service = Arc::new(service);
    let handler = {
        let service = Arc::clone(&service);
        service_fn(move |event: LambdaEvent<Event>| answer(Arc::clone(&service), event))
    };
    let runtime = Runtime::new(handler).layer(tower::layer::layer_fn(|inner| Refreshing {
        inner,
        service: Arc::clone(&service),
    }));
    if let Err(why) = ending::register().await {
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

async fn answer(service: Arc<Service>, event: LambdaEvent<Event>) -> Result<Answer, Refusal> {
    let (event, context) = event.into_parts();
    let call = Call {
        request_id: context.request_id,
        trace_id: context.xray_trace_id,
        received_at: clock::moment(),
        time_left: Some(clock::left_until(context.deadline).unwrap_or(LONGEST)),
    };
    service.authorizer().handle(&event, &call).await
}

/// Lets `inner` answer, then has done what waited for that.
#[derive(Clone)]
struct Refreshing<S> {
    inner: S,
    service: Arc<Service>,
}

impl<S> tower::Service<LambdaInvocation> for Refreshing<S>
where
    S: tower::Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let deadline = invocation.context.deadline;
        let answering = self.inner.call(invocation);
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let answered = answering.await;
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
