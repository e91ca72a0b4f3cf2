//! What the shop's databases say of orders, held against each other and against the books of the simulated payment provider.

use std::collections::BTreeMap;
use std::time::Duration;

use chimera_serving::shop::databases::Databases;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

/// What has to hold when no purchase is on its way, of all databases together.
pub async fn check(databases: &Databases) {
    let open: i64 = count(&databases.orders, "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')").await;
    assert_eq!(open, 0, "purchases are on their way");
    assert_eq!(count(&databases.orders, "SELECT count(*) FROM reservations").await, 0, "units are held for nobody");
    // Units that orders away from home take and give back are allocated a moment later.
    while count_all(databases, "SELECT count(*) FROM allocation_changes").await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut units: BTreeMap<String, i64> = BTreeMap::new();
    for shard in databases.shards.all() {
        let lines: Vec<(String, i64)> = all(&shard.pool, "SELECT sku, sum(quantity)::bigint FROM order_items GROUP BY sku").await;
        lines.into_iter().for_each(|(sku, quantity)| *units.entry(sku).or_default() += quantity);
    }
    units.retain(|_, quantity| *quantity != 0);
    let allocated: Vec<(String, i64)> =
        all(&databases.orders, "SELECT sku, quantity FROM allocations WHERE quantity <> 0 ORDER BY sku").await;
    assert_eq!(BTreeMap::from_iter(allocated), units, "more or less is promised than orders have");
    let oversold = "SELECT count(*) FROM allocations JOIN received USING (sku) WHERE allocations.quantity > received.quantity";
    assert_eq!(count(&databases.orders, oversold).await, 0, "oversold");

    // Every order's money, by the shop and by the provider.
    let mut orders: Vec<(Uuid, String, i64, i64)> = Vec::new();
    for shard in databases.shards.all() {
        let here = "SELECT id, status, total_cents,
                           (SELECT coalesce(sum(amount_cents), 0)::bigint FROM refunds WHERE order_id = orders.id AND done_at IS NOT NULL)
                    FROM orders WHERE total_cents > 0";
        orders.extend(all::<(Uuid, String, i64, i64)>(&shard.pool, here).await);
    }
    let movements: Vec<(Uuid, i64, i64, i64)> = all(
        &databases.simulated_provider,
        "SELECT payment_id, count(*) FILTER (WHERE kind = 'capture'), coalesce(sum(amount_cents) FILTER (WHERE kind = 'capture'), 0)::bigint,
             coalesce(sum(amount_cents) FILTER (WHERE kind = 'refund'), 0)::bigint FROM movements GROUP BY payment_id",
    )
    .await;
    for (id, captures, taken, given) in &movements {
        let order = orders.iter().find(|(order, ..)| order == id).expect("money was taken without an order");
        assert_eq!((*captures, *taken), (1, order.2), "order {id} was paid for otherwise than once");
        assert_eq!(*given, order.3, "order {id} was refunded otherwise");
    }
    for (id, status, ..) in &orders {
        let is_paid = movements.iter().any(|(payment, ..)| payment == id);
        assert!(is_paid || status == "cancelled", "order {id} is {status}, and nobody paid");
    }
    let held = "SELECT count(*) FROM payments WHERE status IN ('authorised', 'pending')";
    assert_eq!(count(&databases.simulated_provider, held).await, 0, "money is set aside for nothing");
}

/// In all databases of orders together.
pub async fn count_all(databases: &Databases, statement: &'static str) -> i64 {
    let mut sum = 0;
    for shard in databases.shards.all() {
        sum += count(&shard.pool, statement).await;
    }
    sum
}

async fn all<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(pool: &PgPool, statement: &'static str) -> Vec<T> {
    sqlx::query_as(statement).fetch_all(pool).await.unwrap()
}

pub async fn count(pool: &PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}
