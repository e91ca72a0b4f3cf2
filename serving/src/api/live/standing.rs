//! Who follows something for long is asked again, now and then, whether they may.

use std::time::Duration;

use crate::api::access::Caller;
use crate::api::state::App;

/// After a session was ended, an account switched off or its role changed, what it follows goes on for no longer than this.
pub const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Completes when the caller's session or key does not stand any more. Nobody's never does.
pub async fn revoked(app: &App, caller: Option<&Caller>) {
    let Some(caller) = caller else { return std::future::pending().await };
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        match caller.still_stands(app).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(problem) => tracing::warn!(%problem, "it cannot be asked whether a session stands"),
        }
    }
}
