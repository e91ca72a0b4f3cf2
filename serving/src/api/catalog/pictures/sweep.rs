//! Removing objects that no row names: of uploads that came to nothing, and of pictures that are gone.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use uuid::Uuid;

use super::store::id_of;
use crate::api::problem::Result;
use crate::api::state::App;

/// Far longer than an upload takes from its object to its row.
pub const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Objects that are looked up at once.
const CHUNK: usize = 1_000;

/// Removes those that were written before `grace`. Returns how many.
pub async fn sweep(app: &App, grace: Duration) -> Result<usize> {
    let until: DateTime<Utc> = Utc::now() - TimeDelta::from_std(grace).unwrap_or(TimeDelta::days(1));
    let old = app.picture_store.list().try_filter_map(|object| async move { Ok(id_of(&object).filter(|_| object.last_modified < until)) });
    let mut chunks = std::pin::pin!(old.try_chunks(CHUNK));
    let mut removed = 0;
    while let Some(ids) = chunks.try_next().await.map_err(|error| error.1)? {
        let named: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM product_images WHERE id = ANY($1) AND large_width_px IS NOT NULL")
            .bind(&ids)
            .fetch_all(&app.databases.catalog)
            .await?;
        let named: HashSet<Uuid> = named.into_iter().collect();
        for id in ids.into_iter().filter(|id| !named.contains(id)) {
            app.picture_store.remove(id).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
