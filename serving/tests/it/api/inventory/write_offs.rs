//! Write-offs and orders want the same units.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chimera_serving::api::inventory::write_off;
use serde_json::{Value, json};

use super::super::server::{Answer, Server, as_owner};
use super::{book, check_books, follow, lost, of_inventory, of_orders, reached, settle, stocked};

fn order(sku: &str, quantity: i64) -> Value {
    json!({"country": "France", "items": [{"sku": sku, "quantity": quantity}]})
}

/// Sends something until it is decided: as told, again with the same key where others held the locks for too long.
async fn decided(send: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = send().await;
        if answer.status != 503 {
            return answer;
        }
    }
}

/// Fifty write-offs and fifty orders of one unit each, at once; how many of each there were.
async fn rush(server: &Server) -> (i64, i64) {
    let (one, gone) = (&order("A", 1), &lost("A", 1));
    let both = futures::future::join_all((0..50).map(|i| async move {
        let (key, other_key) = (&format!("order {i}"), &format!("loss {i}"));
        let ordering = decided(async || server.order(key, one).await);
        let writing_off = decided(async || book(server, "adjustments", other_key, gone).await);
        let (placed, written_off) = tokio::join!(ordering, writing_off);
        if placed.status != 201 {
            placed.problem(409, "out-of-stock");
        }
        if written_off.status != 201 {
            let kind = written_off.json()["type"].clone();
            assert!(kind == "/problems/stock-promised" || kind == "/problems/stock-not-there", "{}", written_off.text());
        }
        (i64::from(placed.status == 201), i64::from(written_off.status == 201))
    }))
    .await;
    both.into_iter().fold((0, 0), |(sold, gone), (order, loss)| (sold + order, gone + loss))
}

async fn check_counts(server: &Server, sold: i64, gone: i64) {
    assert_eq!(of_orders(server, "SELECT coalesce(sum(quantity), 0)::bigint FROM order_items").await, sold);
    assert_eq!(of_inventory(server, "SELECT sum(quantity)::bigint FROM stock_movements").await, 60 - gone);
    check_books(server).await;
}

/// Once the pipeline has followed, the books of both databases say the same, and what is left can be had to the last unit.
async fn check_rest(server: &Server, sold: i64, gone: i64) {
    settle(server).await;
    assert_eq!(of_orders(server, "SELECT count(*) FROM withdrawals").await, 0);
    assert_eq!(of_orders(server, "SELECT quantity FROM allocations").await, sold);
    assert_eq!(of_orders(server, "SELECT quantity FROM received").await, 60 - gone);
    let left = 60 - sold - gone;
    if left > 0 {
        assert_eq!(server.order("the rest", &order("A", left)).await.status, 201);
    }
    server.order("one more", &order("A", 1)).await.problem(409, "out-of-stock");
    let problem = book(server, "adjustments", "one more", &lost("A", 1)).await;
    let kind = if gone == 60 { "stock-not-there" } else { "stock-promised" };
    problem.problem(409, kind);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_write_offs_and_fifty_orders_at_once_share_sixty_units() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 60).await;
    let (sold, gone) = rush(&server).await;
    assert_eq!(sold + gone, 60);
    check_counts(&server, sold, gone).await;
    assert_eq!(of_orders(&server, "SELECT quantity FROM allocations").await, 60);
    check_rest(&server, sold, gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_oversold_while_the_pipeline_follows() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 60).await;
    let is_over = AtomicBool::new(false);
    let following = async {
        while !is_over.load(Ordering::Relaxed) {
            reached(&server, follow(&server).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let settling = async {
        while !is_over.load(Ordering::Relaxed) {
            write_off::settle(&server.app).await.unwrap();
        }
    };
    let rushing = async {
        let counts = rush(&server).await;
        is_over.store(true, Ordering::Relaxed);
        counts
    };
    let ((), (), (sold, gone)) = tokio::join!(following, settling, rushing);
    assert!(sold + gone <= 60, "{sold} {gone}");
    check_counts(&server, sold, gone).await;
    check_rest(&server, sold, gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn promised_units_are_not_written_off() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    assert_eq!(server.order("k", &order("A", 7)).await.status, 201);
    let problem = book(&server, "adjustments", "a", &lost("A", 4)).await.problem(409, "stock-promised");
    assert_eq!((&problem["wanted"], &problem["available"]), (&json!(4), &json!(3)));
    assert_eq!(book(&server, "adjustments", "a", &lost("A", 3)).await.status, 201);
    server.order("l", &order("A", 1)).await.problem(409, "out-of-stock");
    // Written off twice, before the pipeline has seen the first.
    assert_eq!(book(&server, "adjustments", "b", &lost("A", 1)).await.problem(409, "stock-promised")["available"], 0);
    // The movement came to the store, but nobody knows yet: three units are missing twice, and nothing is sold that is not there.
    follow(&server).await;
    assert_eq!(of_orders(&server, "SELECT received.quantity - allocations.quantity FROM received JOIN allocations USING (sku)").await, -3);
    server.order("m", &order("A", 1)).await.problem(409, "out-of-stock");
    settle(&server).await;
    assert_eq!(of_orders(&server, "SELECT received.quantity - allocations.quantity FROM received JOIN allocations USING (sku)").await, 0);
    // A delivery counts once it is in the store.
    assert_eq!(book(&server, "receipts", "r", &super::receipt("MAIN", &[("A", 5)])).await.status, 201);
    book(&server, "adjustments", "c", &lost("A", 1)).await.problem(409, "stock-promised");
    follow(&server).await;
    assert_eq!(book(&server, "adjustments", "c", &lost("A", 1)).await.status, 201);

    as_owner(&server.app.databases.orders, "DROP TABLE received").await;
    book(&server, "adjustments", "d", &lost("A", 1)).await.problem(503, "store-not-ready");
}
