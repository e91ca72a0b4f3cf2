//! Counting promotions against their limits, with the order that uses them.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::quote::Quote;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Counts each promotion of a quote once, or, where a limit is reached, none of them. The same `redemption_id` again changes nothing.
///
/// `redemption_id` is the caller's, and its uses end with [`release`]: an order that is tried again afterwards takes a new one.
///
/// # Errors
/// `promotion-used-up` when a promotion or a coupon of the quote was used as often as it may be; price the basket anew.
/// `redemption-released` when `redemption_id` was released before.
pub async fn redeem(app: &App, redemption_id: Uuid, user_id: Option<Uuid>, quote: &Quote) -> Result<()> {
    // By promotion, so that they are locked in the same order by everybody.
    let uses: BTreeMap<Uuid, Option<&str>> =
        quote.discounts.iter().map(|discount| (discount.promotion_id, discount.coupon.as_deref())).collect();
    if uses.is_empty() {
        return Ok(());
    }
    let mut transaction = begin(&app.databases.pricing).await?;
    let outcome = count(&mut transaction, redemption_id, user_id, &uses).await;
    match outcome {
        Ok(()) => Ok(transaction.commit().await?),
        Err(problem) => {
            // Before the answer: the locks are free when the caller goes on. A connection that cannot roll back is lost, and its
            // transaction with it.
            transaction.rollback().await.ok();
            Err(problem)
        }
    }
}

async fn count(
    connection: &mut PgConnection,
    redemption_id: Uuid,
    user_id: Option<Uuid>,
    uses: &BTreeMap<Uuid, Option<&str>>,
) -> Result<()> {
    // Waits for another of the same id that has not ended yet.
    let is_new = sqlx::query("INSERT INTO redemptions (id, user_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(redemption_id)
        .bind(user_id)
        .execute(&mut *connection)
        .await?
        .rows_affected()
        == 1;
    if !is_new {
        let is_released: bool = sqlx::query_scalar("SELECT released_at IS NOT NULL FROM redemptions WHERE id = $1")
            .bind(redemption_id)
            .fetch_one(connection)
            .await?;
        let detail = format!("The redemption {redemption_id} was released, and does not come back.");
        return if is_released { Err(Problem::new(&kinds::REDEMPTION_RELEASED, detail)) } else { Ok(()) };
    }
    let promotions: Vec<Uuid> = uses.keys().copied().collect();
    let coupons: Vec<&str> = uses.values().copied().flatten().collect();
    lock(connection, &promotions, &coupons).await?;
    // Statements of their own: they see what was counted while the locks were waited for.
    let raised = sqlx::query(
        "UPDATE promotions SET used_count = used_count + 1
         WHERE id = ANY($1) AND (max_redemptions IS NULL OR used_count < max_redemptions)
         AND (max_per_customer IS NULL OR $2::uuid IS NOT NULL AND max_per_customer >
             (SELECT count(*) FROM redeemed_promotions AS used WHERE used.promotion_id = promotions.id AND used.user_id = $2))",
    )
    .bind(&promotions)
    .bind(user_id)
    .execute(&mut *connection)
    .await?;
    if raised.rows_affected() != promotions.len() as u64 {
        return Err(used_up("A promotion of this basket was used as often as it may be since it was priced."));
    }
    let raised = sqlx::query(
        "UPDATE coupons SET used_count = used_count + 1 WHERE code = ANY($1) AND (max_redemptions IS NULL OR used_count < max_redemptions)",
    )
    .bind(&coupons)
    .execute(&mut *connection)
    .await?;
    if raised.rows_affected() != coupons.len() as u64 {
        return Err(used_up("A coupon of this basket was used as often as it may be since it was priced."));
    }
    sqlx::query(
        "INSERT INTO redeemed_promotions (redemption_id, promotion_id, user_id, coupon)
         SELECT $1, promotion_id, $2, coupon FROM unnest($3::uuid[], $4::text[]) AS used(promotion_id, coupon)",
    )
    .bind(redemption_id)
    .bind(user_id)
    .bind(&promotions)
    .bind(uses.values().copied().collect::<Vec<Option<&str>>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes back what [`redeem`] counted under this id. Once more, or for one that was never redeemed, it changes nothing; but a redemption under
/// this id that comes later is refused, so that one that was overtaken by its release does not count for ever.
pub async fn release(app: &App, redemption_id: Uuid) -> Result<()> {
    let mut transaction = begin(&app.databases.pricing).await?;
    let released = sqlx::query(
        "INSERT INTO redemptions (id, released_at) VALUES ($1, now())
         ON CONFLICT (id) DO UPDATE SET released_at = now() WHERE redemptions.released_at IS NULL",
    )
    .bind(redemption_id)
    .execute(&mut *transaction)
    .await?;
    if released.rows_affected() == 1 {
        let uses: Vec<(Uuid, Option<String>)> =
            sqlx::query_as("SELECT promotion_id, coupon FROM redeemed_promotions WHERE redemption_id = $1 ORDER BY promotion_id")
                .bind(redemption_id)
                .fetch_all(&mut *transaction)
                .await?;
        let promotions: Vec<Uuid> = uses.iter().map(|(promotion, _)| *promotion).collect();
        let coupons: Vec<&str> = uses.iter().filter_map(|(_, coupon)| coupon.as_deref()).collect();
        lock(&mut transaction, &promotions, &coupons).await?;
        sqlx::query("DELETE FROM redeemed_promotions WHERE redemption_id = $1").bind(redemption_id).execute(&mut *transaction).await?;
        sqlx::query("UPDATE promotions SET used_count = used_count - 1 WHERE id = ANY($1)")
            .bind(&promotions)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE coupons SET used_count = used_count - 1 WHERE code = ANY($1)")
            .bind(&coupons)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// Forgets who used promotions. They stay counted.
pub async fn forget_user(app: &App, user_id: Uuid) -> Result<()> {
    let mut transaction = begin(&app.databases.pricing).await?;
    sqlx::query("UPDATE redemptions SET user_id = NULL WHERE user_id = $1").bind(user_id).execute(&mut *transaction).await?;
    sqlx::query("UPDATE redeemed_promotions SET user_id = NULL WHERE user_id = $1").bind(user_id).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

/// Promotions before coupons, and each kind in its order: two redemptions never wait for each other in a circle.
async fn lock(connection: &mut PgConnection, promotions: &[Uuid], coupons: &[&str]) -> Result<()> {
    sqlx::query("SELECT FROM promotions WHERE id = ANY($1) ORDER BY id FOR UPDATE").bind(promotions).execute(&mut *connection).await?;
    sqlx::query("SELECT FROM coupons WHERE code = ANY($1) ORDER BY code FOR UPDATE").bind(coupons).execute(connection).await?;
    Ok(())
}

fn used_up(detail: &str) -> Problem {
    Problem::new(&kinds::PROMOTION_USED_UP, detail)
}
