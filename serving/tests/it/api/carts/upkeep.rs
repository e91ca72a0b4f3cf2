//! What goes by itself, and what goes with its owner.

use chimera_serving::api::carts::sweep::sweep;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Shopper, carts_sql, count, kept, of, units};
use crate::api::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn carts_that_nobody_touches_go_after_their_time() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    // More than one batch of them, and one of each that is a day younger.
    carts_sql(
        &server,
        "INSERT INTO carts (id, guest_hash, last_accessed_at)
         SELECT gen_random_uuid(), sha256(n::text::bytea), now() - interval '30 days 1 minute' FROM generate_series(1, 2500) n;
         INSERT INTO carts (id, user_id, last_accessed_at)
         SELECT gen_random_uuid(), gen_random_uuid(), now() - interval '180 days 1 minute' FROM generate_series(1, 1000);
         INSERT INTO carts (id, guest_hash, last_accessed_at) VALUES (gen_random_uuid(), sha256('x'), now() - interval '29 days');
         INSERT INTO carts (id, user_id, last_accessed_at) VALUES (gen_random_uuid(), gen_random_uuid(), now() - interval '179 days');
         INSERT INTO cart_items (cart_id, sku, quantity, price_cents, currency) SELECT id, 'A', 1, 100, 'GBP' FROM carts",
    )
    .await;
    // Another one would be too old, but its owner looks at it.
    let guest = Shopper::guest(&server, "A", 5).await;
    guest.add_once(&server, "A", 1, "old").await.ok();
    carts_sql(
        &server,
        "UPDATE carts SET last_accessed_at = now() - interval '31 days' WHERE version > 0;
         UPDATE cart_additions SET added_at = now() - interval '25 hours'",
    )
    .await;
    assert_eq!(units(&guest.cart(&server).await), of(&[("A", 6)]));
    sweep(&server.app.databases.carts).await.unwrap();
    assert_eq!((count(&server, "carts").await, kept(&server).await), (3, of(&[("A", 8)])));
    assert_eq!(count(&server, "cart_additions").await, 0);
    carts_sql(&server, "UPDATE carts SET last_accessed_at = now() - interval '31 days'").await;
    sweep(&server.app.databases.carts).await.unwrap();
    assert_eq!((count(&server, "carts").await, guest.cart(&server).await["id"].clone()), (1, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_is_handed_out_and_removed_with_its_owner() {
    const PASSWORD: &str = "correct horse battery";
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    let answer = server.post("/api/v1/auth/register", &json!({ "email": "ada@example.com", "password": PASSWORD })).await.json();
    let user_id = answer["user_id"].as_str().unwrap();
    let ada = Shopper::User(user_id.parse().unwrap(), answer["access_token"].as_str().unwrap().to_owned());
    let export = async || server.send(Method::GET, "/api/v1/users/me/export", ada.token(), None).await.ok();
    assert_eq!(export().await["cart"], Value::Null);
    ada.add_once(&server, "A", 3, "key").await.ok();
    let bob = Shopper::account(&server).await;
    bob.add(&server, "A", 1).await.ok();
    let lines = json!([{ "sku": "A", "quantity": 3, "price_cents": 100, "currency": "GBP" }]);
    assert_eq!(export().await["cart"]["lines"], lines);
    let key = format!("cart:{user_id}");
    assert!(server.app.redis.clone().exists::<_, bool>(&key).await.unwrap());
    let erased = server.send(Method::DELETE, "/api/v1/users/me", ada.token(), Some(&json!({ "password": PASSWORD }))).await;
    assert_eq!(erased.status, 204, "{}", erased.text());
    assert!(!server.app.redis.clone().exists::<_, bool>(&key).await.unwrap());
    assert_eq!((count(&server, "carts").await, count(&server, "cart_additions").await, kept(&server).await), (1, 0, of(&[("A", 1)])));
}
