//! Removing carts that nobody comes back for, and what is remembered of changes.

use sqlx::PgPool;

use crate::api::problem::Result;

/// Rows that one statement removes at most: locks are held for a moment only.
const BATCH: u64 = 1000;

/// Carts that are in use just now are passed over; they are not old any more.
const STATEMENTS: [&str; 5] = [
    "DELETE FROM carts WHERE id = ANY (ARRAY(
         SELECT id FROM carts WHERE user_id IS NULL AND last_accessed_at < now() - interval '30 days'
         ORDER BY last_accessed_at LIMIT $1 FOR UPDATE SKIP LOCKED))",
    "DELETE FROM carts WHERE id = ANY (ARRAY(
         SELECT id FROM carts WHERE user_id IS NOT NULL AND last_accessed_at < now() - interval '180 days'
         ORDER BY last_accessed_at LIMIT $1 FOR UPDATE SKIP LOCKED))",
    "DELETE FROM cart_additions WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM cart_additions WHERE added_at < now() - interval '1 day' ORDER BY added_at LIMIT $1))",
    "DELETE FROM bought_checkouts WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM bought_checkouts WHERE bought_at < now() - interval '180 days' ORDER BY bought_at LIMIT $1))",
    "DELETE FROM merged_carts WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM merged_carts WHERE merged_at < now() - interval '180 days' ORDER BY merged_at LIMIT $1))",
];

/// Removes what is too old, a batch at a time. Copies in Redis ran out long before.
pub async fn sweep(pool: &PgPool) -> Result<()> {
    for statement in STATEMENTS {
        while sqlx::query(statement).bind(BATCH.cast_signed()).execute(pool).await?.rows_affected() == BATCH {}
    }
    Ok(())
}
