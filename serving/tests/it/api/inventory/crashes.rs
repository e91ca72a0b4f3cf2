//! Write-offs that break off between any two of their steps.

use chimera_serving::shop::databases::begin;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chimera_serving::api::access::{Caller, Role};
use chimera_serving::api::extract::Json;
use chimera_serving::api::inventory::adjustments::create_adjustment;
use chimera_serving::api::inventory::{booking, write_off};
use chimera_serving::api::orders::withdrawals;
use uuid::Uuid;

use super::super::server::Server;
use super::{book, check_books, follow, lost, of_inventory, of_orders, reached, settle, stocked};

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
    let mut transaction = begin(&server.app.databases.inventory).await.unwrap();
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
    let mut transaction = begin(&server.app.databases.inventory).await.unwrap();
    write_off::lock(&mut transaction, id).await.unwrap();
    withdrawals::withdraw(&server.app.databases.orders, id, "A", 4).await.unwrap();
    sqlx::query("INSERT INTO stock_movements (id, sku, quantity) VALUES ($1, 'A', -4)").bind(id).execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    write_off::settle(&server.app).await.unwrap();
    assert_eq!((allocated(&server).await, of_orders(&server, "SELECT count(*) FROM withdrawals").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn write_offs_that_are_cut_off_anywhere_are_finished_or_forgotten() {
    const ATTEMPTS: u32 = 60;
    let Some(server) = Server::start().await else { return };
    stocked(&server, "A", 1000).await;
    let operator = Caller { user_id: None, role: Role::Admin, session_id: None, key_id: None, is_read_only: false };
    let write_off = async |key: &str, at_most: Duration| {
        let headers = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), HeaderValue::try_from(key).unwrap())]);
        let body = serde_json::from_value(lost("A", 1)).unwrap();
        let whole = create_adjustment(State(server.app.clone()), headers, operator.clone(), Json(body));
        tokio::time::timeout(at_most, whole).await.is_ok()
    };
    let start = Instant::now();
    assert!(write_off("whole", Duration::MAX).await);
    let whole = start.elapsed();
    let mut cut_off = 0;
    for i in 0..ATTEMPTS {
        // Dropped a little later each time, from the first statement to behind the last.
        let is_whole = write_off(&format!("loss {i}"), whole * 3 / 2 * i / ATTEMPTS).await;
        cut_off += i64::from(!is_whole);
    }
    assert!(cut_off > 0);
    // Transactions that were dropped are rolled back, or committed, a moment later.
    for pool in [&server.app.databases.orders, &server.app.databases.inventory] {
        while pool.num_idle() < pool.size() as usize {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    settle(&server).await;
    assert_eq!((allocated(&server).await, of_orders(&server, "SELECT count(*) FROM withdrawals").await), (0, 0));
    let gone = 1000 - of_inventory(&server, "SELECT sum(quantity)::bigint FROM stock_movements").await;
    assert!((61 - cut_off..=61).contains(&gone), "{gone} {cut_off}");
    assert_eq!(of_orders(&server, "SELECT quantity FROM received").await, 1000 - gone);
    check_books(&server).await;
    // Whoever had no answer sends it again: each is booked once.
    for i in 0..ATTEMPTS {
        assert_eq!(book(&server, "adjustments", &format!("loss {i}"), &lost("A", 1)).await.status, 201);
    }
    assert_eq!(of_inventory(&server, "SELECT sum(quantity)::bigint FROM stock_movements").await, 939);
}
