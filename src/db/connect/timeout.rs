//! `connect_timeout`, which applies to each step of connecting.

use std::time::Duration;

use super::failure::Reason;

/// The outcome of `work`, or [`Reason::Timeout`] when it takes longer than `timeout`.
pub(super) async fn within<T>(
    timeout: Option<Duration>,
    work: impl Future<Output = Result<T, Reason>>,
) -> Result<T, Reason> {
    match timeout {
        Some(timeout) => tokio::time::timeout(timeout, work)
            .await
            .unwrap_or(Err(Reason::Timeout)),
        None => work.await,
    }
}
