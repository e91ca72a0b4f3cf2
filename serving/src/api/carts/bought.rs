//! What a checkout does to the cart that it came from.

use uuid::Uuid;

use super::lines;
use super::locked::Locked;
use crate::api::problem::Result;
use crate::api::state::App;

/// Takes out of a cart what was bought: units that were put in meanwhile stay. Once a checkout, however often it is called; nothing if the
/// cart is gone. A guest's cart that was merged into an account's is found there.
pub async fn take_bought(app: &App, cart_id: Uuid, checkout_id: Uuid, bought: &[(String, i32)]) -> Result<()> {
    let Some(mut cart) = Locked::by_id(&app.databases.carts, cart_id).await? else { return Ok(()) };
    let written = sqlx::query("INSERT INTO bought_checkouts (checkout_id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(checkout_id)
        .execute(&mut *cart.transaction)
        .await?;
    if written.rows_affected() == 1 {
        lines::take(&mut cart.lines, bought);
        cart.commit(app).await?;
    }
    Ok(())
}
