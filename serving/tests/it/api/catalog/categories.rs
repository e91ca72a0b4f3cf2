//! Brands, categories, and what shoppers see of them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Merchandiser, id, reached};
use crate::api::server::{Answer, Server};

const CATEGORIES: &str = "/api/v1/catalog/categories";
const BRANDS: &str = "/api/v1/catalog/brands";

/// The names of a tree, as in `Kitchen(Cups Mugs(Tin))`.
fn names(nodes: &Value) -> String {
    let told = |node: &Value| {
        let below = names(&node["children"]);
        let name = node["name"].as_str().unwrap();
        if below.is_empty() { name.to_owned() } else { format!("{name}({below})") }
    };
    nodes.as_array().unwrap().iter().map(told).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_are_a_tree_that_pages_keep() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let kitchen = someone.add(CATEGORIES, json!({ "name": "Kitchen" })).await;
    let mugs = someone.add(CATEGORIES, json!({ "name": "Mugs", "parent_id": kitchen["id"] })).await;
    someone.add(CATEGORIES, json!({ "name": "Cups", "parent_id": kitchen["id"] })).await;
    let tin = someone.add(CATEGORIES, json!({ "name": "Tin", "parent_id": mugs["id"], "description": "Of the army" })).await;
    someone.add(CATEGORIES, json!({ "name": "Lights" })).await;
    let shown = server.get("/api/v1/categories").await;
    assert_eq!(names(&shown.ok()["categories"]), "Kitchen(Cups Mugs(Tin)) Lights");
    assert_eq!(shown.header("cache-control"), "public, max-age=60");
    let asked = |tag: String| Answer::of(server.request(Method::GET, "/api/v1/categories").header("if-none-match", tag));
    assert_eq!(asked(shown.header("etag").to_owned()).await.status, 304);

    let kitchen_path = format!("{CATEGORIES}/{}", id(&kitchen));
    let mugs_path = format!("{CATEGORIES}/{}", id(&mugs));
    let below = |name: &str, parent: &Value| Some(json!({ "name": name, "parent_id": parent["id"] }));
    for parent in [&kitchen, &mugs, &tin] {
        someone.change(Method::PUT, &kitchen_path, "*", below("Kitchen", parent)).await.problem(409, "category-cycle");
    }
    someone.change(Method::PUT, &mugs_path, "\"7\"", below("Mugs", &tin)).await.problem(412, "changed-meanwhile");
    let moved = someone.change(Method::PUT, &mugs_path, "\"1\"", Some(json!({ "name": "Beakers" }))).await;
    assert_eq!(moved.header("etag"), "\"2\"");
    reached(&moved);
    let again = asked(shown.header("etag").to_owned()).await;
    assert_eq!(names(&again.ok()["categories"]), "Beakers(Tin) Kitchen(Cups) Lights");

    someone.post(CATEGORIES, json!({ "name": "Tin" })).await.problem(409, "name-taken");
    someone.post(CATEGORIES, json!({ "name": "A > B" })).await.problem(422, "invalid-body");
    someone
        .post(CATEGORIES, json!({ "name": "x", "parent_id": "00000000-0000-0000-0000-000000000000" }))
        .await
        .problem(422, "invalid-body");
    someone.send(Method::DELETE, &mugs_path, None, None).await.problem(428, "precondition-required");
    someone.change(Method::DELETE, &mugs_path, "\"2\"", None).await.problem(409, "still-in-use");
    let tin_path = format!("{CATEGORIES}/{}", id(&tin));
    let product = json!({ "sku": "A", "name": "A", "price_cents": 1, "currency": "GBP", "category_id": tin["id"], "is_active": false });
    let product = someone.add("/api/v1/catalog/products", product).await;
    someone.change(Method::DELETE, &tin_path, "*", None).await.problem(409, "still-in-use");
    let nowhere = Some(json!({ "category_id": null }));
    someone.change(Method::PATCH, &format!("/api/v1/catalog/products/{}", id(&product)), "*", nowhere).await.ok();
    assert_eq!(someone.change(Method::DELETE, &tin_path, "\"1\"", None).await.status, 204);
    assert_eq!(someone.change(Method::DELETE, &mugs_path, "\"2\"", None).await.status, 204);
    someone.get(&tin_path).await.problem(404, "category-not-found");
    assert_eq!(names(&server.get("/api/v1/categories").await.ok()["categories"]), "Kitchen(Cups) Lights");
    let listed = someone.get(&format!("{CATEGORIES}?parent_id={}", id(&kitchen))).await.ok();
    assert_eq!((listed["categories"].as_array().unwrap().len(), &listed["categories"][0]["name"]), (1, &json!("Cups")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_at_most_eight_deep_also_after_a_move() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let chain = async |prefix: &str, length: usize| {
        let mut ids: Vec<String> = Vec::new();
        for number in 0..length {
            let body = json!({ "name": format!("{prefix}{number}"), "parent_id": ids.last() });
            ids.push(id(&someone.add(CATEGORIES, body).await).to_owned());
        }
        ids
    };
    let (deep, other) = (chain("a", 8).await, chain("b", 3).await);
    someone.post(CATEGORIES, json!({ "name": "a8", "parent_id": deep[7] })).await.problem(422, "invalid-body");
    let path = format!("{CATEGORIES}/{}", other[0]);
    // Three categories fit below the fifth, not below the sixth.
    someone.change(Method::PUT, &path, "*", Some(json!({ "name": "b0", "parent_id": deep[5] }))).await.problem(422, "invalid-body");
    someone.change(Method::PUT, &path, "*", Some(json!({ "name": "b0", "parent_id": deep[4] }))).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn brands_are_kept_while_products_are_of_them() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let dear = someone.add(BRANDS, json!({ "name": "Dear", "description": "Not cheap" })).await;
    let cheap = someone.add(BRANDS, json!({ "name": "Cheap" })).await;
    someone.post(BRANDS, json!({ "name": "Dear" })).await.problem(409, "name-taken");
    someone.post(BRANDS, json!({ "name": "" })).await.problem(422, "invalid-body");
    let path = format!("{BRANDS}/{}", id(&dear));
    someone.change(Method::PUT, &path, "\"1\"", Some(json!({ "name": "Cheap" }))).await.problem(409, "name-taken");
    assert_eq!(someone.change(Method::PUT, &path, "\"1\"", Some(json!({ "name": "Dearest" }))).await.ok()["version"], 2);
    someone.change(Method::PUT, &path, "\"1\"", Some(json!({ "name": "Lost" }))).await.problem(412, "changed-meanwhile");
    let product = json!({ "sku": "A", "name": "A", "price_cents": 1, "currency": "GBP", "brand_id": dear["id"] });
    someone.add("/api/v1/catalog/products", product).await;
    someone.change(Method::DELETE, &path, "*", None).await.problem(409, "still-in-use");
    // Shoppers see those with products on sale.
    let shown = server.get("/api/v1/brands").await;
    assert_eq!(shown.ok()["brands"], json!([{ "id": dear["id"], "name": "Dearest", "description": null }]));
    let again = Answer::of(server.request(Method::GET, "/api/v1/brands").header("if-none-match", shown.header("etag"))).await;
    assert_eq!(again.status, 304);
    let page = someone.get(&format!("{BRANDS}?limit=1")).await.ok();
    let rest = someone.get(&format!("{BRANDS}?limit=1&after={}", page["next"].as_str().unwrap())).await.ok();
    assert_eq!((&rest["brands"][0]["name"], &rest["next"]), (&json!("Cheap"), &Value::Null));
    let cheap_path = format!("{BRANDS}/{}", id(&cheap));
    assert_eq!(someone.change(Method::DELETE, &cheap_path, "\"1\"", None).await.status, 204);
    someone.get(&cheap_path).await.problem(404, "brand-not-found");
}
