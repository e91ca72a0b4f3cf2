//! Many who want the same.

use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;

use super::super::server::Server;
use super::flow::wait_until_done;
use super::{Shopper, check_books, count};

/// A thousand at once for a hundred units: a hundred orders, whatever is busy meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_shoppers_share_a_hundred_units() {
    // Each has a connection, and both its ends are here.
    fdlimit::raise_fd_limit().unwrap();
    let Some(server) = Server::start().await else { return };
    server.product("LAST", 1000, 100).await;
    let server = &server;
    let shoppers: Vec<Shopper> = futures::stream::iter(0..1000)
        .map(|_| async move {
            let mut shopper = Shopper::guest(server);
            shopper.put_in("LAST", 1).await;
            shopper
        })
        .buffer_unordered(50)
        .collect()
        .await;
    // Their carts are full: now all of them buy.
    let answers: Vec<u16> = join_all(shoppers.iter().map(|shopper| async move {
        loop {
            let answer = shopper.bought("a", "tok_visa").await;
            // More at once than the server takes, or too slow: the same again, under the same key, when it says.
            if ![503, 504].contains(&answer.status) {
                break answer.status;
            }
            tokio::time::sleep(Duration::from_secs(answer.header("retry-after").parse().unwrap_or(1))).await;
        }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 100, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 409).count(), 900);
    wait_until_done(server).await;
    check_books(server).await;
    assert_eq!(count(&server.app.databases.orders, "SELECT count(*) FROM orders WHERE status = 'paid'").await, 100);
    assert_eq!(count(&server.app.databases.orders, "SELECT quantity FROM allocations WHERE sku = 'LAST'").await, 100);
}
