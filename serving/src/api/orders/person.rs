//! What is kept of a person here, handed out and removed.

use uuid::Uuid;

use super::shown::{self, Order};
use super::status::Status;
use crate::api::problem::Result;
use crate::api::state::App;

/// Read in one statement.
const PAGE: usize = 100;

/// Of these nothing is sent any more; one that was delivered may still come back.
const OVER: [Status; 3] = [Status::Delivered, Status::Cancelled, Status::Returned];

/// All orders of an account, newest first.
pub async fn orders(app: &App, user_id: Uuid) -> Result<Vec<Order>> {
    let customer_id = user_id.to_string();
    let pool = &app.databases.shards.of_customer(&customer_id).pool;
    let mut orders = Vec::new();
    let mut before: Option<Uuid> = None;
    loop {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM orders WHERE kind = 'order' AND customer_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        )
        .bind(&customer_id)
        .bind(before)
        .bind(PAGE as i64)
        .fetch_all(pool)
        .await?;
        orders.extend(shown::find_all(pool, &ids).await?);
        if ids.len() < PAGE {
            return Ok(orders);
        }
        before = ids.last().copied();
    }
}

/// Removes the address of e-mail from those orders of an account that are over. Of the others, and of those whose buyer waits for money or
/// for the answer to a return, it stays: they are still written to.
pub async fn forget_email(app: &App, user_id: Uuid) -> Result<()> {
    let customer_id = user_id.to_string();
    sqlx::query(
        "UPDATE order_contacts SET email = NULL FROM orders o
         WHERE o.id = order_contacts.order_id AND o.kind = 'order' AND o.customer_id = $1 AND o.status = ANY($2) AND email IS NOT NULL
         AND NOT EXISTS (SELECT FROM refunds WHERE refunds.order_id = o.id AND done_at IS NULL)
         AND NOT EXISTS (SELECT FROM returns WHERE returns.order_id = o.id AND returns.status = 'requested')",
    )
    .bind(&customer_id)
    .bind(OVER.map(Status::name).to_vec())
    .execute(&app.databases.shards.of_customer(&customer_id).pool)
    .await?;
    Ok(())
}
