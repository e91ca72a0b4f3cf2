//! The copy in Redis is read, and never believed when it is old.

use std::collections::HashMap;
use std::time::Duration;

use chimera_local::TestRedis;
use chimera_serving::api::carts::{Owner, change, contents};
use chimera_serving::api::{App, Parts};
use futures::StreamExt;
use redis::AsyncCommands;
use serde_json::{Value, json};

use super::{Shopper, carts_sql, kept, of, units};
use crate::api::server::Server;

fn owner(shopper: &Shopper) -> Owner {
    match shopper {
        Shopper::New => Owner::New,
        Shopper::Guest(token) => Owner::Guest(*blake3::hash(token.as_bytes()).as_bytes()),
        Shopper::User(user_id, _) => Owner::User(*user_id),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_kept_for_two_hours_and_read_only_if_it_is_of_this_version() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    server.product("B", 100, 1000).await;
    let mut redis = server.app.redis.clone();
    for is_guest in [false, true] {
        let shopper = if is_guest { Shopper::guest(&server, "A", 1).await } else { Shopper::account(&server).await };
        shopper.add(&server, "A", 1).await.ok();
        shopper.set(&server, "A", 2).await.ok();
        let key = owner(&shopper).key().unwrap();
        let first: HashMap<String, String> = redis.hgetall(&key).await.unwrap();
        assert_eq!((first["A"].as_str(), first.len()), ("2 100 GBP", 2), "{first:?}");
        let left_s: i64 = redis.ttl(&key).await.unwrap();
        assert!((7100..=7200).contains(&left_s), "{left_s}");
        // A look is a use.
        let _: bool = redis.expire(&key, 60).await.unwrap();
        // That the copy is read at all: this is told of no database.
        let () = redis.hset(&key, "A", "5 100 GBP").await.unwrap();
        assert_eq!(units(&shopper.cart(&server).await), of(&[("A", 5)]));
        assert!(redis.ttl::<_, i64>(&key).await.unwrap() > 7100);

        // A writer died after the commit, before Redis was told.
        let before: HashMap<String, String> = redis.hgetall(&key).await.unwrap();
        shopper.add(&server, "B", 1).await.ok();
        let () = redis.del(&key).await.unwrap();
        let () = redis.hset_multiple(&key, &before.into_iter().collect::<Vec<_>>()).await.unwrap();
        assert_eq!(units(&shopper.cart(&server).await), of(&[("A", 2), ("B", 1)]));
        // Who saw that has put the copy right.
        let after: HashMap<String, String> = redis.hgetall(&key).await.unwrap();
        assert_eq!((after["B"].as_str(), after.len()), ("1 100 GBP", 3));
        // Of another cart of the same owner, of the same version.
        let other = after["\u{1}of"].split_once(' ').map(|(_, version)| format!("{} {version}", uuid::Uuid::nil())).unwrap();
        let () = redis.hset_multiple(&key, &[("\u{1}of", other.as_str()), ("A", "9 100 GBP")]).await.unwrap();
        assert_eq!(units(&shopper.cart(&server).await), of(&[("A", 2), ("B", 1)]));
        // Something else altogether.
        for nonsense in [&[("A", "x")][..], &[("\u{1}of", "x")], &[]] {
            let () = redis.del(&key).await.unwrap();
            match nonsense {
                [] => redis.set::<_, _, ()>(&key, "not even a hash").await.unwrap(),
                fields => redis.hset_multiple::<_, _, _, ()>(&key, fields).await.unwrap(),
            }
            assert_eq!(units(&shopper.cart(&server).await), of(&[("A", 2), ("B", 1)]));
            assert_eq!(units(&shopper.add(&server, "B", 1).await.ok()), of(&[("A", 2), ("B", 2)]));
            shopper.set(&server, "B", 1).await.ok();
        }
        // The whole store is emptied.
        let () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
        assert_eq!(units(&shopper.cart(&server).await), of(&[("A", 2), ("B", 1)]));
        // A cart that is gone is gone, whatever Redis says.
        carts_sql(&server, "DELETE FROM carts").await;
        assert_eq!(shopper.cart(&server).await["id"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_carts_go_on_and_what_it_comes_back_with_is_not_believed() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    let mut private = match tokio::task::spawn_blocking(TestRedis::start).await.unwrap() {
        Ok(redis) => redis,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let redis = redis::Client::open(private.url()).unwrap().get_connection_manager().await.unwrap();
    let app = App::new(Parts { redis: redis.clone(), ..server.parts() });
    let ada = Shopper::account(&server).await;
    let whose = owner(&ada);
    change::add(&app, whose, "A", 1, None).await.unwrap();
    private = tokio::task::spawn_blocking(move || private.stop().map(|()| private)).await.unwrap().unwrap();
    let (added, _) = change::add(&app, whose, "A", 1, None).await.unwrap();
    assert_eq!((added.version, added.lines[0].quantity), (2, 2));
    assert_eq!(contents(&app, &whose).await.unwrap(), Some(added.clone()));
    private = tokio::task::spawn_blocking(move || private.start_again().map(|()| private)).await.unwrap().unwrap();
    // It still has the copy of version 1.
    let key = whose.key().unwrap();
    assert_eq!(private.ask(&["HGET", &key, "A"]).unwrap(), ["1 100 GBP"]);
    while redis.clone().exists::<_, bool>(&key).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(contents(&app, &whose).await.unwrap(), Some(added));
    // Through another server of the shop, too, which has had its Redis all the time.
    assert_eq!(units(&ada.cart(&server).await), kept(&server).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_to_whoever_listens() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 1000).await;
    let ada = Shopper::account(&server).await;
    let guest = Shopper::guest(&server, "A", 2).await;
    let client = redis::Client::open(server.context.redis_url.as_str()).unwrap();
    let mut listening = client.get_async_pubsub().await.unwrap();
    listening.subscribe(owner(&ada).key().unwrap()).await.unwrap();
    ada.add_once(&server, "A", 1, "key").await.ok();
    // Neither of these changes anything.
    ada.add_once(&server, "A", 1, "key").await.ok();
    ada.set(&server, "A", 1).await.ok();
    ada.add(&server, "A", 10_000).await.problem(409, "cart-full");
    ada.merge(&server, &guest).await.ok();
    ada.remove(&server, "A").await.ok();
    let told: Vec<Value> = listening
        .on_message()
        .take(3)
        .map(|message| serde_json::from_str(&message.get_payload::<String>().unwrap()).unwrap())
        .collect()
        .await;
    assert_eq!(told, [json!({ "version": 1 }), json!({ "version": 2 }), json!({ "version": 3 })]);
}
