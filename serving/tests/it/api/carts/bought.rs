//! What a checkout takes out of the cart.

use chimera_serving::api::carts::{Owner, contents, take_bought};
use futures::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use super::{Shopper, carts_sql, of, units};
use crate::api::server::Server;

fn id(cart: &Value) -> Uuid {
    cart["id"].as_str().unwrap().parse().unwrap()
}

fn bought(lines: &[(&str, i32)]) -> Vec<(String, i32)> {
    lines.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_bought_is_taken_out_once_a_checkout() {
    let Some(server) = Server::start().await else { return };
    for sku in ["A", "B", "C"] {
        server.product(sku, 100, 1000).await;
    }
    let ada = Shopper::account(&server).await;
    ada.add(&server, "A", 2).await.ok();
    ada.add(&server, "B", 5).await.ok();
    let Shopper::User(user_id, _) = &ada else { panic!("an account") };
    let held = contents(&server.app, &Owner::User(*user_id)).await.unwrap().unwrap();
    let lines: Vec<(String, i32)> = held.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect();
    assert_eq!((lines.clone(), held.version), (bought(&[("A", 2), ("B", 5)]), 2));
    // While it is paid for, more is put in, and some of it taken out.
    ada.add(&server, "A", 1).await.ok();
    ada.add(&server, "C", 1).await.ok();
    ada.set(&server, "B", 3).await.ok();
    let checkout = Uuid::now_v7();
    let at_once = join_all((0..8).map(|_| take_bought(&server.app, held.id, checkout, &lines))).await;
    assert!(at_once.iter().all(Result::is_ok), "{at_once:?}");
    assert_eq!(units(&ada.cart(&server).await), of(&[("A", 1), ("C", 1)]));
    take_bought(&server.app, held.id, checkout, &lines).await.unwrap();
    let cart = ada.cart(&server).await;
    assert_eq!((units(&cart), cart["version"].as_i64()), (of(&[("A", 1), ("C", 1)]), Some(6)));
    // Another checkout of the same.
    take_bought(&server.app, held.id, Uuid::now_v7(), &lines).await.unwrap();
    assert_eq!(units(&ada.cart(&server).await), of(&[("C", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_was_merged_is_found_and_one_that_is_gone_is_no_error() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    let (ada, guest) = (Shopper::account(&server).await, Shopper::guest(&server, "A", 3).await);
    let of_the_guest = id(&guest.cart(&server).await);
    let (before, after) = (Uuid::now_v7(), Uuid::now_v7());
    take_bought(&server.app, of_the_guest, before, &bought(&[("A", 1)])).await.unwrap();
    assert_eq!(units(&guest.cart(&server).await), of(&[("A", 2)]));
    // They log in while they pay.
    ada.add(&server, "A", 10).await.ok();
    assert_eq!(units(&ada.merge(&server, &guest).await.ok()), of(&[("A", 12)]));
    for _ in 0..2 {
        take_bought(&server.app, of_the_guest, after, &bought(&[("A", 2)])).await.unwrap();
        assert_eq!(units(&ada.cart(&server).await), of(&[("A", 10)]));
        // It was done before the merge.
        take_bought(&server.app, of_the_guest, before, &bought(&[("A", 1)])).await.unwrap();
        assert_eq!(units(&ada.cart(&server).await), of(&[("A", 10)]));
    }
    carts_sql(&server, "DELETE FROM carts").await;
    take_bought(&server.app, of_the_guest, Uuid::now_v7(), &bought(&[("A", 1)])).await.unwrap();
}
