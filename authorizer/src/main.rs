//! The Lambda function.

use doorward_authorizer::{log, runtime, settings::Environment, wiring::Service};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let sink = log::to_stdout();
    log::panics_to(&sink);
    runtime::run(Service::start(Environment::of_this_process(), sink).await).await
}
