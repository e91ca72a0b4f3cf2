//! What the shop's databases say of orders, held against each other and against the books of the simulated payment provider.

use chimera_serving::shop::databases::Databases;
use uuid::Uuid;

/// What has to hold when no purchase is on its way, of all databases together.
pub async fn check(databases: &Databases) {
    let open: i64 = count(&databases.orders, "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')").await;
    assert_eq!(open, 0, "purchases are on their way");
    assert_eq!(count(&databases.orders, "SELECT count(*) FROM reservations").await, 0, "units are held for nobody");
    let wrong =
        "SELECT count(*) FROM allocations FULL JOIN (SELECT sku, sum(quantity) AS units FROM order_items GROUP BY sku) AS lines USING (sku)
                 WHERE coalesce(quantity, 0) <> coalesce(units, 0)";
    assert_eq!(count(&databases.orders, wrong).await, 0, "more or less is promised than orders have");
    let oversold = "SELECT count(*) FROM allocations JOIN received USING (sku) WHERE allocations.quantity > received.quantity";
    assert_eq!(count(&databases.orders, oversold).await, 0, "oversold");

    // Every order's money, by the shop and by the provider.
    let orders: Vec<(Uuid, String, i64, i64)> = sqlx::query_as(
        "SELECT id, status, total_cents, (SELECT coalesce(sum(amount_cents), 0)::bigint FROM refunds WHERE order_id = orders.id AND done_at IS NOT NULL)
         FROM orders WHERE total_cents > 0",
    )
    .fetch_all(&databases.orders)
    .await
    .unwrap();
    let movements: Vec<(Uuid, i64, i64, i64)> = sqlx::query_as(
        "SELECT payment_id, count(*) FILTER (WHERE kind = 'capture'), coalesce(sum(amount_cents) FILTER (WHERE kind = 'capture'), 0)::bigint,
             coalesce(sum(amount_cents) FILTER (WHERE kind = 'refund'), 0)::bigint FROM movements GROUP BY payment_id",
    )
    .fetch_all(&databases.simulated_provider)
    .await
    .unwrap();
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

pub async fn count(pool: &sqlx::PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}
