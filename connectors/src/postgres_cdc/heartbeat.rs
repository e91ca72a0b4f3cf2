//! Empty transactions, so that a position moves on although nothing is written.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::catalog::Catalog;
use super::status::Progress;

/// However often somebody asks, there are not more of them than one in this time.
const SPACING: Duration = Duration::from_millis(10);
/// Rest after a failure: the reader itself says what is wrong.
const REST: Duration = Duration::from_secs(1);

/// Emits a heartbeat whenever `asked` says so, and when the log did not move for `interval`. Requests during one are answered by the next.
pub(super) async fn run(pool: PgPool, asked: Arc<Notify>, progress: Arc<Progress>, interval: Duration, shutdown: CancellationToken) {
    let mut last_idle = Instant::now();
    loop {
        let idle_at = progress.last_append().max(last_idle) + interval;
        let idle = tokio::select! {
            () = shutdown.cancelled() => return,
            () = asked.notified() => false,
            () = tokio::time::sleep_until(idle_at) => true,
        };
        if idle {
            last_idle = Instant::now();
            if !progress.is_streaming() || progress.last_append() + interval > last_idle {
                continue;
            }
        }
        let rest = tokio::select! {
            () = shutdown.cancelled() => return,
            emitted = Catalog::emit_heartbeat(&pool) => match emitted {
                Ok(()) => SPACING,
                Err(error) => {
                    tracing::debug!(%error, "no heartbeat");
                    REST
                }
            },
        };
        tokio::time::sleep(rest).await;
    }
}
