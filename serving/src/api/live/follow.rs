//! A state as it changes: whoever follows it is told what it is now, then whenever it is another.

use std::future::Future;
use std::time::Duration;

use futures::{Stream, StreamExt};
use uuid::Uuid;

use super::order_channel;
use crate::api::carts::Owner;
use crate::api::carts::shown::{self, Cart};
use crate::api::orders::shown::{Order, Viewer};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;

/// Without news it is looked at all the same: whoever wrote may not have reached Redis.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A database that is away for a moment ends nothing.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// An order that this viewer may see.
///
/// # Errors
/// `order-not-found`, before anything is streamed.
pub async fn order(app: &App, viewer: Viewer, id: Uuid) -> Result<impl Stream<Item = Result<Order>> + Send + use<>> {
    let pool = app.databases.shards.of(id).pool.clone();
    follow(app, order_channel(id), move || {
        let pool = pool.clone();
        async move { viewer.find(&pool, id).await }
    })
    .await
}

/// Somebody's cart.
///
/// # Errors
/// `bad-parameter` of a guest who has none yet.
pub async fn cart(app: &App, owner: Owner) -> Result<impl Stream<Item = Result<Cart>> + Send + use<>> {
    let no_cart = || Problem::new(&kinds::BAD_PARAMETER, "A guest's cart is followed by its token, which comes with the first article.");
    let channel = owner.key().ok_or_else(no_cart)?;
    let app_to_ask = app.clone();
    follow(app, channel, move || {
        let app = app_to_ask.clone();
        async move { shown::cart(&app, &owner).await }
    })
    .await
}

/// Ends after an error that does not pass.
async fn follow<T, L, F>(app: &App, channel: String, mut look: L) -> Result<impl Stream<Item = Result<T>> + Send + use<T, L, F>>
where
    T: Clone + PartialEq + Send,
    L: FnMut() -> F + Send,
    F: Future<Output = Result<T>> + Send,
{
    // First, so that a change between the look and the listening is heard of.
    let subscription = app.hub.subscribe(channel);
    let first = look().await?;
    let told = first.clone();
    let later = futures::stream::unfold(Some((subscription, look, told)), |following| async move {
        let (mut subscription, mut look, told) = following?;
        let mut pause = LOOK_AGAIN;
        loop {
            let _ = tokio::time::timeout(pause, subscription.news()).await;
            match look().await {
                Ok(now) if now == told => pause = LOOK_AGAIN,
                Ok(now) => return Some((Ok(now.clone()), Some((subscription, look, now)))),
                Err(problem) if problem.status().is_server_error() => {
                    tracing::debug!(%problem, "what is followed cannot be looked at just now");
                    tokio::time::sleep(TRY_AGAIN).await;
                    pause = Duration::ZERO;
                }
                Err(problem) => return Some((Err(problem), None)),
            }
        }
    });
    Ok(futures::stream::once(std::future::ready(Ok(first))).chain(later))
}
