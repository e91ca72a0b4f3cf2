//! Runs file and CPU work off the async threads.

use crate::{Error, Result};

/// Runs `work` on a thread where it may block, and waits for it.
pub(crate) async fn blocking<T, F>(connector: &'static str, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::corrupt(connector, format!("its worker thread ended early: {error}"))),
    }
}
