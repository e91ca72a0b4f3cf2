//! Many at once on one cart.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures::future::join_all;
use serde_json::json;

use super::{Shopper, count, kept, of, units};
use crate::api::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn additions_at_once_are_all_made_and_those_under_a_key_once() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    server.product("B", 100, 1000).await;
    let (server, ada) = (&server, &Shopper::account(&server).await);
    // The cart itself is made by whichever comes first.
    let plain = join_all((0..30).map(|_| ada.add(server, "A", 2)));
    // Ten keys, each sent four times.
    let keyed = join_all((0..40).map(|i| async move { ada.add_once(server, "B", 3, &format!("key {}", i % 10)).await }));
    let (plain, keyed) = tokio::join!(plain, keyed);
    assert!(plain.iter().chain(&keyed).all(|answer| answer.status == 200), "{plain:?} {keyed:?}");
    let expected = of(&[("A", 60), ("B", 30)]);
    assert_eq!((units(&ada.cart(server).await), kept(server).await), (expected.clone(), expected));
    assert_eq!((ada.cart(server).await["version"].as_i64(), count(server, "carts").await), (Some(40), 1));
    // A key is for one addition.
    ada.add_once(server, "B", 4, "key 1").await.problem(422, "idempotency-key-reused");
    ada.add_once(server, "A", 3, "key 1").await.problem(422, "idempotency-key-reused");
    ada.add_once(server, "A", 1, "").await.problem(400, "idempotency-key-needed");
    // What was refused is not remembered, and another's keys are another's.
    ada.add_once(server, "A", 10_000, "later").await.problem(409, "cart-full");
    ada.remove(server, "A").await.ok();
    assert_eq!(units(&ada.add_once(server, "A", 10_000, "later").await.ok()), of(&[("A", 10_000), ("B", 30)]));
    let bob = Shopper::account(server).await;
    assert_eq!(units(&bob.add_once(server, "B", 1, "key 1").await.ok()), of(&[("B", 1)]));
}

/// Each change adds one unit and raises the version by one: whoever sees another number of units than the version saw a mixture, and whoever
/// sees a version below one that was answered before they asked saw an old copy.
#[tokio::test(flavor = "multi_thread")]
async fn readers_among_writers_never_see_an_old_cart_nor_half_of_one() {
    const WRITES: i64 = 25;
    const WRITERS: i64 = 4;
    let Some(server) = Server::start().await else { return };
    for n in 0..WRITERS {
        server.product(&format!("S{n}"), 100, 1000).await;
    }
    let (server, ada) = (&server, &Shopper::account(&server).await);
    let (answered, is_over) = (&AtomicI64::new(0), &AtomicBool::new(false));
    let writers = join_all((0..WRITERS).map(|n| async move {
        for _ in 0..WRITES {
            let cart = ada.add(server, &format!("S{n}"), 1).await.ok();
            answered.fetch_max(cart["version"].as_i64().unwrap(), Ordering::SeqCst);
        }
    }));
    let writers = async {
        writers.await;
        is_over.store(true, Ordering::SeqCst);
    };
    let readers = join_all((0..4).map(|_| async move {
        let mut reads = 0;
        while !is_over.load(Ordering::SeqCst) {
            let at_least = answered.load(Ordering::SeqCst);
            let cart = ada.cart(server).await;
            let version = cart["version"].as_i64().unwrap();
            assert!(version >= at_least, "version {version} was read after version {at_least} was answered");
            assert_eq!(cart["total_items"].as_i64(), Some(version), "{cart}");
            reads += 1;
        }
        reads
    }));
    // Somebody empties Redis, now and then.
    let emptying = async {
        while !is_over.load(Ordering::SeqCst) {
            let _: () = redis::cmd("FLUSHDB").query_async(&mut server.app.redis.clone()).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let ((), reads, ()) = tokio::join!(writers, readers, emptying);
    assert!(reads.iter().all(|reads| *reads > 0), "{reads:?}");
    let last = ada.cart(server).await;
    assert_eq!((units(&last), last["version"].as_i64()), (kept(server).await, Some(WRITERS * WRITES)));
    assert_eq!(kept(server).await, (0..WRITERS).map(|n| (format!("S{n}"), WRITES)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_at_once_among_additions_lose_and_double_nothing() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    let (server, ada) = (&server, &Shopper::account(&server).await);
    let guest = &Shopper::guest(server, "A", 1).await;
    let merges = join_all((0..10).map(|_| ada.merge(server, guest)));
    let of_the_guest = join_all((0..20).map(|_| guest.add(server, "A", 1)));
    let of_the_account = join_all((0..20).map(|_| ada.add(server, "A", 1)));
    let (merges, one, two) = tokio::join!(merges, of_the_guest, of_the_account);
    for answer in merges.iter().chain(&one).chain(&two) {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    // What the guest put in after the last merge is in a cart of their own again.
    assert_eq!(kept(server).await, of(&[("A", 41)]));
    let merged = ada.merge(server, guest).await.ok();
    assert_eq!((units(&merged), count(server, "carts").await), (of(&[("A", 41)]), 1));
    assert_eq!(guest.cart(server).await["id"], json!(null));
}
