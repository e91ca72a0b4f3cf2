//! Reading a product while the store of the documents is away.

use std::time::{Duration, Instant};

use chimera_local::TestRedis;
use chimera_serving::api::{App, Parts, serve};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{Merchandiser, id};
use crate::api::server::{Answer, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_read_from_the_catalogue_while_redis_is_away() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let brand = someone.add("/api/v1/catalog/brands", json!({ "name": "Dear" })).await;
    let body = json!({ "sku": "MUG", "name": "Mug", "price_cents": 899, "currency": "GBP", "brand_id": brand["id"] });
    let product = someone.add("/api/v1/catalog/products", body).await;
    let variants = format!("/api/v1/catalog/products/{}/variants", id(&product));
    someone.add(&variants, json!({ "sku": "MUG-R", "attributes": { "colour": "red" }, "price_cents": 950 })).await;
    let image: Uuid = sqlx::query_scalar(
        "INSERT INTO product_images (product_id, position, media_type, content) SELECT id, 0, 'image/png', 'x' FROM products RETURNING id",
    )
    .fetch_one(&server.app.databases.catalog)
    .await
    .unwrap();

    // The same server with a Redis of its own, which is then stopped.
    let redis = tokio::task::spawn_blocking(TestRedis::start).await.unwrap().unwrap();
    let client = redis::Client::open(redis.url()).unwrap();
    let app = App::new(Parts { redis: client.get_connection_manager().await.unwrap(), ..server.parts() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let running = tokio::spawn(serve(app, listener, std::future::pending()));
    let get = async |id: &str| Answer::of(server.client.request(Method::GET, format!("{base}/api/v1/products/{id}"))).await;
    // Redis is there, and no pipeline has made a document yet.
    get(id(&product)).await.problem(404, "product-not-found");

    tokio::task::spawn_blocking(move || drop(redis)).await.unwrap();
    let start = Instant::now();
    for _ in 0..3 {
        let answer = get(id(&product)).await;
        assert_eq!(answer.header("chimera-source"), "catalog");
        let mut body = answer.ok();
        assert_eq!((&body["meta"]["store"], &body["meta"]["age_ms"]), (&json!("catalog"), &json!(0)));
        let shown = body["product"].take();
        let variant = json!([{ "sku": "MUG-R", "attributes": { "colour": "red" }, "price_cents": 950 }]);
        let expected = json!({ "id": product["id"], "sku": "MUG", "name": "Mug", "description": null, "brand": "Dear", "category": null,
            "price_cents": 899, "currency": "GBP", "available": null, "popularity": null, "variants": variant,
            "image_url": format!("/api/v1/images/{image}") });
        assert_eq!(shown, expected);
    }
    assert!(start.elapsed() < Duration::from_secs(15), "nobody waits long for a store that is away");
    let off = someone.change(Method::DELETE, &format!("/api/v1/catalog/products/{}", id(&product)), "*", None::<Value>).await;
    assert_eq!(off.status, 204);
    get(id(&product)).await.problem(404, "product-not-found");
    running.abort();
}
