//! Write-offs that break off between any two of their steps.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use chimera_serving::api::access::{Caller, Role};
use chimera_serving::api::extract::Json;
use chimera_serving::api::inventory::adjustments::create_adjustment;
use chimera_serving::api::inventory::{booking, write_off};
use chimera_serving::api::orders::withdrawals;
use uuid::Uuid;

use super::super::server::Server;
use super::{book, check_books, follow, lost, of_inventory, of_orders, reached, stocked};

async fn allocated(server: &Server) -> i64 {
    of_orders(server, "SELECT coalesce(sum(quantity), 0)::bigint FROM allocations").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_stays_while_its_movement_may_come_and_until_the_store_has_it() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    // The store has come very far, and says so; the background job may look whenever it likes.
    reached(&server, booking::position(&server.app.databases.inventory).await.unwrap());
    let id = Uuid::now_v7();
    let mut transaction = server.app.databases.inventory.begin().await.unwrap();
    write_off::lock(&mut transaction, id).await.unwrap();
    withdrawals::withdraw(&server.app.databases.orders, id, "A", 4).await.unwrap();
    write_off::settle(&server.app).await.unwrap();
    assert_eq!(allocated(&server).await, 4);
    sqlx::query("INSERT INTO stock_movements (id, sku, quantity) VALUES ($1, 'A', -4)").bind(id).execute(&mut *transaction).await.unwrap();
    write_off::settle(&server.app).await.unwrap();
    assert_eq!(allocated(&server).await, 4);
    transaction.commit().await.unwrap();
    write_off::settle(&server.app).await.unwrap();
    assert_eq!(allocated(&server).await, 4, "the store is not there yet");
    let position = withdrawals::open(&server.app.databases.orders).await.unwrap()[0].position.unwrap();
    follow(&server).await;
    reached(&server, position - 1);
    write_off::settle(&server.app).await.unwrap();
    assert_eq!(allocated(&server).await, 4, "the store is one byte behind");
    reached(&server, position);
    write_off::settle(&server.app).await.unwrap();
    assert_eq!((allocated(&server).await, of_orders(&server, "SELECT count(*) FROM withdrawals").await), (0, 0));
    // Nothing is given back twice.
    withdrawals::release(&server.app.databases.orders, id).await.unwrap();
    assert_eq!(allocated(&server).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_whose_movement_never_came_gives_its_units_back() {
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 10).await;
    let id = Uuid::now_v7();
    let mut transaction = server.app.databases.inventory.begin().await.unwrap();
    write_off::lock(&mut transaction, id).await.unwrap();
    withdrawals::withdraw(&server.app.databases.orders, id, "A", 4).await.unwrap();
    sqlx::query("INSERT INTO stock_movements (id, sku, quantity) VALUES ($1, 'A', -4)").bind(id).execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    write_off::settle(&server.app).await.unwrap();
    assert_eq!((allocated(&server).await, of_orders(&server, "SELECT count(*) FROM withdrawals").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn write_offs_that_are_cut_off_anywhere_are_finished_or_forgotten() {
    const ATTEMPTS: u64 = 60;
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 1000).await;
    let operator = Caller { user_id: None, role: Role::Admin, session_id: None, is_read_only: false };
    let mut cut_off = 0;
    for i in 0..ATTEMPTS {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::try_from(format!("loss {i}")).unwrap());
        let body = serde_json::from_value(lost("A", 1)).unwrap();
        let write_off = create_adjustment(State(server.app.clone()), headers, operator.clone(), Json(body));
        // Dropped a little later each time, from the first statement to behind the last.
        let in_time = tokio::time::timeout(Duration::from_micros(400 * i), write_off).await;
        cut_off += u64::from(in_time.is_err());
    }
    assert!(cut_off > 0);
    let gone = 1000 - of_inventory(&server, "SELECT sum(quantity)::bigint FROM stock_movements").await;
    assert!(gone >= i64::try_from(ATTEMPTS - cut_off).unwrap(), "{gone} {cut_off}");
    // Transactions that were dropped are rolled back a moment later.
    for _ in 0..100 {
        reached(&server, follow(&server).await);
        write_off::settle(&server.app).await.unwrap();
        if of_orders(&server, "SELECT count(*) FROM withdrawals").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((allocated(&server).await, of_orders(&server, "SELECT count(*) FROM withdrawals").await), (0, 0));
    assert_eq!(of_orders(&server, "SELECT quantity FROM received").await, 1000 - gone);
    check_books(&server).await;
    // Whoever had no answer sends it again: each is booked once.
    for i in 0..ATTEMPTS {
        assert_eq!(book(&server, "adjustments", &format!("loss {i}"), &lost("A", 1)).await.status, 201);
    }
    assert_eq!(of_inventory(&server, "SELECT sum(quantity)::bigint FROM stock_movements").await, 1000 - ATTEMPTS.cast_signed());
}
