//! Removing what is known of a person here.

use uuid::Uuid;

use super::copy;
use super::owner::Owner;
use crate::api::problem::Result;
use crate::api::state::App;

/// Removes the cart of an account. A request that reads it at this moment may leave a copy in Redis, which nobody reads, for two hours.
pub async fn erase(app: &App, user_id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM carts WHERE user_id = $1").bind(user_id).execute(&app.databases.carts).await?;
    if let Some(key) = Owner::User(user_id).key() {
        copy::remove(&app.redis, &key).await;
    }
    Ok(())
}
