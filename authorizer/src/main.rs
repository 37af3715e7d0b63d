//! The Lambda function.

use doorward_authorizer::{log, runtime, settings::Environment, wiring::Service};

/// Where Lambda says that it sends several events at once (AWS: Lambda Managed Instances).
const AT_ONCE: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// One event at a time needs one thread: handing work from one to another costs more than the work. Only where events come
/// side by side there are more.
fn main() -> Result<(), lambda_runtime::Error> {
    let environment = Environment::of_this_process();
    let mut threads = if environment.value(AT_ONCE).is_some() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    threads.enable_all().build()?.block_on(async {
        let sink = log::to_stdout();
        log::panics_to(&sink);
        runtime::run(Service::start(environment, sink)).await
    })
}
