//! Many who want the same.

use futures::StreamExt;

use super::super::server::Server;
use super::flow::wait_until_done;
use super::{Shopper, check_books, count};

/// A thousand for a hundred units: a hundred orders, whatever is busy meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_shoppers_share_a_hundred_units() {
    let Some(server) = Server::start().await else { return };
    server.product("LAST", 1000, 100).await;
    let server = &server;
    let answers: Vec<u16> = futures::stream::iter(0..1000)
        .map(|_| async move {
            let mut shopper = Shopper::guest(server);
            shopper.put_in("LAST", 1).await;
            loop {
                let answer = shopper.bought("a", "tok_visa").await;
                // Too many at once, or too slow: the same again, a moment later.
                if ![503, 504].contains(&answer.status) {
                    break answer.status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        })
        .buffer_unordered(200)
        .collect()
        .await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 100, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 409).count(), 900);
    wait_until_done(server).await;
    check_books(server).await;
    assert_eq!(count(&server.app.databases.orders, "SELECT count(*) FROM orders WHERE status = 'paid'").await, 100);
    assert_eq!(count(&server.app.databases.orders, "SELECT quantity FROM allocations WHERE sku = 'LAST'").await, 100);
}
