//! A payment provider that moves no money: for trying the shop out, and for its tests. A server of its own, with books of its own and the
//! contract of [`crate::api::payments::provider`] over HTTP; the shop knows it by its address only.
//!
//! What a payment comes to is chosen by its token: see [`Behaviour`].

mod behaviour;
mod books;
mod events;
mod server;

use std::time::Duration;

use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use behaviour::Behaviour;

/// The provider.
#[derive(Clone)]
pub struct SimulatedProvider {
    /// The database `simulated_provider`.
    pub pool: PgPool,
    /// What the shop and it know each other by.
    pub secret: String,
    /// Where the shop is told of payments.
    pub events_url: String,
    /// How long a pending payment takes.
    pub settles_after: Duration,
}

impl SimulatedProvider {
    /// Serves until `stop`.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
        let books = tokio::spawn(stop.clone().run_until_cancelled_owned(events::tell(self.clone())));
        let served = axum::serve(listener, server::router(self)).with_graceful_shutdown(stop.cancelled_owned()).await;
        books.await.ok();
        served
    }
}
