//! Work with an end to patience.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// The output of `work`, or `None` when `late` is ready first.
pub(crate) async fn before<T>(
    late: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (mut late, mut work) = (pin!(late), pin!(work));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => late.as_mut().poll(context).map(|()| None),
    })
    .await
}
