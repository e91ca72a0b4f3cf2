//! Purchases whose process dies in the middle.

use std::time::Duration;

use chimera_serving::api::checkout::saga;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::super::server::{Server, as_owner};
use super::{Shopper, check_books, count};
use crate::books::count_all;

/// Steps are cut off at any moment, as a crash would do it; what is left is what the databases hold.
#[tokio::test(flavor = "multi_thread")]
async fn steps_that_break_off_anywhere_are_taken_up_again() {
    let Some(server) = Server::start().await else { return };
    break_off(server).await;
}

/// The same when most orders are in other databases than the purchases.
#[tokio::test(flavor = "multi_thread")]
async fn steps_across_databases_that_break_off_anywhere_are_taken_up_again() {
    let Some(server) = Server::start_sharded(4).await else { return };
    break_off(server).await;
}

async fn break_off(server: Server) {
    server.product("MUG", 250, 40).await;
    let orders = &server.app.databases.orders;
    let mut rng = StdRng::seed_from_u64(7);
    let tokens = ["tok_visa", "tok_declined", "tok_pending", "tok_capture_declined", "tok_repeated"];
    let mut i = 0;
    let ids: Vec<Uuid> = loop {
        let mut shopper = Shopper::account(&server).await;
        shopper.put_in("MUG", 1).await;
        // The client goes away; the server has written the purchase down, or has not.
        let cut = Duration::from_millis(rng.random_range(1..300));
        tokio::time::timeout(cut, shopper.buy("a", tokens[i % tokens.len()])).await.ok();
        i += 1;
        let begun: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM checkouts ORDER BY id").fetch_all(orders).await.unwrap();
        if begun.len() == 25 {
            break begun;
        }
    };
    // Runs that are killed, over and over; each leaves its claim behind, which runs out.
    for _ in 0..15 {
        for id in &ids {
            sqlx::query("UPDATE checkouts SET claimed_until = now() - interval '1 second' WHERE id = $1")
                .bind(id)
                .execute(orders)
                .await
                .unwrap();
            let task = tokio::spawn(saga::advance(server.app.clone(), *id));
            tokio::time::sleep(Duration::from_micros(rng.random_range(0..8000))).await;
            task.abort();
        }
    }
    // Nobody kills any more: it comes to its end by itself.
    sqlx::query("UPDATE checkouts SET claimed_until = NULL, run_at = now()").execute(orders).await.unwrap();
    let open = "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')";
    while count(orders, open).await > 0 {
        saga::resume(&server.app).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    check_books(&server).await;
    let (completed, failed): (i64, i64) =
        sqlx::query_as("SELECT count(*) FILTER (WHERE state = 'completed'), count(*) FILTER (WHERE state = 'failed') FROM checkouts")
            .fetch_one(orders)
            .await
            .unwrap();
    assert!(completed > 0 && failed > 0, "{completed} completed, {failed} failed");
    let left = "SELECT count(*) FROM orders WHERE kind = 'order' AND status = 'paid'";
    assert_eq!(count_all(&server.app.databases, left).await, completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_not_held_for_longer_than_a_quarter_of_an_hour() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 1).await;
    let orders = &server.app.databases.orders;
    // The provider does not decide.
    let mut shopper = Shopper::account(&server).await;
    shopper.put_in("MUG", 1).await;
    let never = "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.settles_at := NULL; RETURN NEW; END'";
    let provider = &server.app.databases.simulated_provider;
    as_owner(provider, never).await;
    as_owner(provider, "CREATE TRIGGER never BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION never()").await;
    let answer = shopper.buy("a", "tok_pending").await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &serde_json::json!("pending")));
    let mut other = Shopper::guest(&server);
    other.put_in("MUG", 1).await;
    other.buy("b", "tok_visa").await.problem(409, "out-of-stock");
    sqlx::query("UPDATE checkouts SET expires_at = now() - interval '1 second', run_at = now()").execute(orders).await.unwrap();
    shopper.bought("a", "tok_pending").await.problem(409, "checkout-expired");
    super::flow::wait_until_done(&server).await;
    check_books(&server).await;
    assert_eq!(other.bought("c", "tok_visa").await.status, 201, "the unit can be had again");
}
