//! Products, search, related items and the feed, from stores that the real sinks filled.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use chrono::{DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Server, pretty};

pub const NAMES: [(&str, &str, &str, i32, i64, i64); 5] = [
    // SKU, name, category, price, available, popularity
    ("HEART", "White hanging heart lantern", "Lights", 255, 10, 50),
    ("MUG", "Blue enamel mug", "Kitchen", 899, 0, 90),
    ("TEAPOT", "Enamel teapot", "Kitchen", 1999, 4, 20),
    ("LANTERN", "Metal lantern", "Lights", 1295, 7, 70),
    ("BAG", "Jumbo bag red retrospot", "Bags", 195, 3, 60),
];

pub fn id(sku: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, sku.as_bytes())
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn text<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A server with these products in its stores.
pub async fn filled() -> Option<Server> {
    let server = Server::start().await?;
    let ids: Vec<String> = NAMES.iter().map(|row| id(row.0).to_string()).collect();
    let variants =
        NAMES.map(|row| if row.0 == "MUG" { r#"[{"sku":"MUG-R","attributes":{"colour":"red"},"price_cents":null}]"# } else { "[]" });
    let images: StringArray = NAMES.iter().map(|row| (row.0 == "MUG").then_some("1b4e28ba-2fa1-41d2-883f-0016d3cca427")).collect();
    let products = batch([
        ("id", text(ids.iter().map(String::as_str))),
        ("sku", text(NAMES.map(|row| row.0))),
        ("name", text(NAMES.map(|row| row.1))),
        ("description", Arc::new(StringArray::new_null(NAMES.len()))),
        ("brand", text(NAMES.map(|row| if row.3 > 1000 { "Dear" } else { "Cheap" }))),
        ("category", text(NAMES.map(|row| row.2))),
        ("price_cents", Arc::new(Int32Array::from_iter_values(NAMES.map(|row| row.3)))),
        ("currency", text(NAMES.map(|_| "GBP"))),
        ("available", Arc::new(Int64Array::from_iter_values(NAMES.map(|row| row.4)))),
        ("popularity", Arc::new(Int64Array::from_iter_values(NAMES.map(|row| row.5)))),
        ("variants", text(variants)),
        ("image_id", Arc::new(images)),
    ]);
    let tantivy = [
        ("index", "products"),
        ("fields.text", "name^3,sku^2,brand^2,category,description"),
        ("fields.facet", "brand,category"),
        ("fields.fast", "price_cents,available,popularity"),
    ];
    server.fill(1, "tantivy", "search_index.products", 1, &tantivy, products.clone()).await;
    let documents = [("target", "json"), ("target.key_prefix", "product:")];
    server.fill(1, "redis", "search_index.product_documents", 1, &documents, products.clone()).await;
    let skus = batch([("sku", products.column(1).clone()), ("id", products.column(0).clone())]);
    server.fill(1, "redis", "search_index.sku_ids", 1, &[("target", "json"), ("target.key_prefix", "sku:")], skus).await;
    let pairs = |pairs: &[(&str, &str, i64)]| {
        batch([
            ("sku", text(pairs.iter().map(|pair| pair.0))),
            ("other_sku", text(pairs.iter().map(|pair| pair.1))),
            ("score", Arc::new(Int64Array::from_iter_values(pairs.iter().map(|pair| pair.2)))),
        ])
    };
    let set = |prefix| {
        [
            ("target", "sorted_set"),
            ("target.key_prefix", prefix),
            ("target.key_column", "sku"),
            ("target.member_column", "other_sku"),
            ("target.score_column", "score"),
        ]
    };
    let bought = pairs(&[("HEART", "BAG", 3), ("HEART", "gone", 9), ("HEART", "LANTERN", 5)]);
    server.fill(1, "redis", "co_purchase.related_by_purchase", 2, &set("related:purchase:"), bought).await;
    let viewed = pairs(&[("HEART", "MUG", 8), ("HEART", "LANTERN", 7), ("MUG", "TEAPOT", 2)]);
    server.fill(1, "redis", "co_view.related_by_view", 2, &set("related:view:"), viewed).await;
    let hour = Utc::now().duration_trunc(TimeDelta::hours(1)).unwrap().timestamp_nanos_opt().unwrap();
    let trending = batch([
        ("category", text(["All", "All", "Bags"])),
        ("window_start", Arc::new(TimestampNanosecondArray::from(vec![hour, hour, hour]))),
        ("rank", Arc::new(Int64Array::from(vec![1, 2, 1]))),
        ("sku", text(["BAG", "HEART", "BAG"])),
        ("views", Arc::new(Int64Array::from(vec![5, 4, 5]))),
    ]);
    server.fill(1, "view", "trending.trending", 3, &[], trending).await;
    Some(server)
}

fn skus(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn products_related_items_and_search_and_feed() {
    let Some(server) = filled().await else { return };
    a_product_is_shown_with_its_variants_and_picture(&server).await;
    related_items_are_those_bought_then_those_viewed(&server).await;
    search_finds_filters_sorts_and_counts(&server).await;
    the_feed_goes_from_the_session_to_what_is_trending_to_what_is_popular(&server).await;
}

async fn a_product_is_shown_with_its_variants_and_picture(server: &Server) {
    let mut body = server.get(&format!("/api/v1/products/{}", id("MUG"))).await.ok();
    body["meta"]["as_of"] = "…".into();
    body["product"]["id"] = "…".into();
    insta::assert_snapshot!(pretty(&body), @r#"
    {
      "meta": {
        "age_ms": 0,
        "as_of": "…",
        "epoch": 1,
        "store": "search_index.product_documents"
      },
      "product": {
        "available": 0,
        "brand": "Cheap",
        "category": "Kitchen",
        "currency": "GBP",
        "description": null,
        "id": "…",
        "image_url": "/api/v1/images/1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        "name": "Blue enamel mug",
        "popularity": 90,
        "price_cents": 899,
        "sku": "MUG",
        "variants": [
          {
            "attributes": {
              "colour": "red"
            },
            "price_cents": null,
            "sku": "MUG-R"
          }
        ]
      }
    }
    "#);
    server.get(&format!("/api/v1/products/{}", id("none"))).await.problem(404, "product-not-found");
}

async fn related_items_are_those_bought_then_those_viewed(server: &Server) {
    let path = format!("/api/v1/products/{}/related", id("HEART"));
    let items = server.get(&path).await.ok()["items"].take();
    // `gone` is no product any more; LANTERN is in both.
    let told: Vec<(&str, f64, &str)> = items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["sku"].as_str().unwrap(), item["score"].as_f64().unwrap(), item["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("LANTERN", 5.0, "bought_together"), ("BAG", 3.0, "bought_together"), ("MUG", 8.0, "viewed_together")]);
    assert_eq!(skus(&server.get(&format!("{path}?limit=1")).await.ok()["items"]), ["LANTERN"]);
    assert!(skus(&server.get(&format!("/api/v1/products/{}/related", id("BAG"))).await.ok()["items"]).is_empty());
    server.get(&format!("/api/v1/products/{}/related", id("none"))).await.problem(404, "product-not-found");
}

async fn search_finds_filters_sorts_and_counts(server: &Server) {
    let search = async |query: &str| server.get(&format!("/api/v1/search?{query}")).await.ok();
    let all = search("sort=price_asc").await;
    assert_eq!(all["total"], 5);
    assert_eq!(skus(&all["hits"]), ["BAG", "HEART", "MUG", "LANTERN", "TEAPOT"]);
    assert_eq!(
        all["facets"]["category"],
        json!([{"value": "Kitchen", "count": 2}, {"value": "Lights", "count": 2}, {"value": "Bags", "count": 1}])
    );
    assert_eq!(skus(&search("").await["hits"]), ["MUG", "LANTERN", "BAG", "HEART", "TEAPOT"]);
    assert_eq!(skus(&search("sort=price_desc&limit=2&offset=1").await["hits"]), ["LANTERN", "MUG"]);
    assert_eq!(skus(&search("q=enam&in_stock=true").await["hits"]), ["TEAPOT"]);
    assert_eq!(skus(&search("q=lantren&category=Lights&min_price=1000").await["hits"]), ["LANTERN"]);
    let brand = search("q=lantern&brand=Dear").await;
    assert_eq!(skus(&brand["hits"]), ["LANTERN"]);
    // As if the brand had not been chosen.
    assert_eq!(brand["facets"]["brand"], json!([{"value": "Cheap", "count": 1}, {"value": "Dear", "count": 1}]));
    assert_eq!(search("max_price=200").await["total"], 1);
    assert_eq!(search("q=xyzzyplugh").await["total"], 0);
    assert_eq!(brand["meta"]["store"], "search_index.products");
    for odd in ["%00", "%22", "AND%20OR", "*", "name%3Ax%20%5E%20(", "%F0%9F%AB%96", "-"] {
        assert!(search(&format!("q={odd}")).await["total"].is_u64(), "{odd}");
    }
}

async fn the_feed_goes_from_the_session_to_what_is_trending_to_what_is_popular(server: &Server) {
    let feed = async |query: &str| {
        let items = server.get(&format!("/api/v1/feed?{query}")).await.ok()["items"].take();
        items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| format!("{} {}", item["sku"].as_str().unwrap(), item["reason"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let everyone = ["BAG trending", "HEART trending", "MUG popular", "LANTERN popular", "TEAPOT popular"];
    assert_eq!(feed("").await, everyone);
    assert_eq!(feed("session_id=nobody").await, everyone);
    let click = json!({"events": [{"type": "click", "session_id": "shopper", "sku": "MUG"}]});
    assert_eq!(server.post("/api/v1/events", &click).await.status, 202);
    assert_eq!(feed("session_id=shopper").await, ["TEAPOT because_you_viewed", "BAG trending", "HEART trending", "LANTERN popular"]);
    assert_eq!(feed("session_id=shopper&limit=2").await, ["TEAPOT because_you_viewed", "BAG trending"]);
}
