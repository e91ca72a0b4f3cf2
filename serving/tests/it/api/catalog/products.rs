//! Products, their prices and their variants.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Merchandiser, id, reached};
use crate::api::server::{Answer, Server, TOKEN};

const PRODUCTS: &str = "/api/v1/catalog/products";

fn mug() -> Value {
    json!({ "sku": "MUG", "name": " Blue mug ", "description": "Two\nlines", "price_cents": 899, "currency": "GBP" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_made_changed_and_taken_off_sale() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let brand = someone.add("/api/v1/catalog/brands", json!({ "name": "Dear" })).await;
    let answer = someone.post(PRODUCTS, mug()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let path = format!("{PRODUCTS}/{}", id(&made));
    assert_eq!((answer.header("location"), answer.header("etag")), (path.as_str(), "\"1\""));
    assert_eq!((&made["name"], &made["is_active"], &made["version"]), (&json!("Blue mug"), &json!(true), &json!(1)));
    let first = reached(&answer);
    let shown = someone.get(&path).await;
    assert_eq!((shown.ok(), shown.header("etag")), (made.clone(), "\"1\""));
    let again = Answer::of(server.request(Method::GET, &path).bearer_auth(&someone.token).header("if-none-match", "\"1\"")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));

    // Who does not say what they saw changes nothing; nor who saw another state.
    let whole = json!({ "name": "Red mug", "brand_id": brand["id"] });
    someone.send(Method::PUT, &path, None, Some(whole.clone())).await.problem(428, "precondition-required");
    let refused = someone.change(Method::PUT, &path, "\"7\"", Some(whole.clone())).await;
    refused.problem(412, "changed-meanwhile");
    assert_eq!(refused.header("etag"), "\"1\"");
    someone.change(Method::PUT, &path, "W/\"1\"", Some(whole.clone())).await.problem(412, "changed-meanwhile");
    someone.change(Method::PUT, &path, "1", Some(whole.clone())).await.problem(400, "bad-parameter");
    let changed = someone.change(Method::PUT, &path, "\"0\", \"1\"", Some(whole.clone())).await;
    assert_eq!((changed.header("etag"), changed.ok()["name"].as_str()), ("\"2\"", Some("Red mug")));
    assert!(reached(&changed) > first);
    assert_eq!((&changed.ok()["description"], &changed.ok()["brand_id"]), (&Value::Null, &brand["id"]));
    let patched = someone.change(Method::PATCH, &path, "\"2\"", Some(json!({ "description": "New", "brand_id": null }))).await.ok();
    assert_eq!((&patched["name"], &patched["description"], &patched["brand_id"]), (&json!("Red mug"), &json!("New"), &Value::Null));
    someone.change(Method::PATCH, &path, "\"2\"", Some(json!({ "name": "Lost" }))).await.problem(412, "changed-meanwhile");

    let gone = someone.change(Method::DELETE, &path, "*", None).await;
    assert_eq!(gone.status, 204);
    reached(&gone);
    let kept = someone.get(&path).await.ok();
    assert_eq!((&kept["is_active"], &kept["version"]), (&json!(false), &json!(4)));
    someone
        .change(Method::DELETE, &format!("{PRODUCTS}/00000000-0000-0000-0000-000000000000"), "*", None)
        .await
        .problem(404, "product-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_product_is_told() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    someone.add(PRODUCTS, mug()).await;
    someone.post(PRODUCTS, mug()).await.problem(409, "sku-taken");
    let wrong = json!({ "sku": " A", "name": "x".repeat(256), "description": "\u{7}", "price_cents": -1, "currency": "gbp" });
    let problem = someone.post(PRODUCTS, wrong).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["sku", "name", "description", "price_cents", "currency"]);
    let with = |name: &str, value: Value| {
        let mut body = mug();
        body["sku"] = json!("OTHER");
        body[name] = value;
        body
    };
    for wrong in [with("price_cents", json!(2.5)), with("price_cents", json!(3_000_000_000_i64)), with("version", json!(3))] {
        someone.post(PRODUCTS, wrong).await.problem(422, "invalid-body");
    }
    let nobody = json!("00000000-0000-0000-0000-000000000000");
    for name in ["category_id", "brand_id"] {
        let problem = someone.post(PRODUCTS, with(name, nobody.clone())).await.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["path"], name);
    }
    let products: i64 = sqlx::query_scalar("SELECT count(*) FROM products").fetch_one(&server.app.databases.catalog).await.unwrap();
    assert_eq!(products, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_listed_page_by_page_and_filtered() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let brand = someone.add("/api/v1/catalog/brands", json!({ "name": "Dear" })).await;
    for number in 0..5 {
        let mut body = json!({ "sku": format!("S{number}"), "name": format!("Mug {number}"), "price_cents": 1, "currency": "GBP" });
        if number == 3 {
            body["brand_id"] = brand["id"].clone();
            body["is_active"] = json!(false);
        }
        someone.add(PRODUCTS, body).await;
    }
    let list = async |query: &str| {
        let page = someone.get(&format!("{PRODUCTS}?{query}")).await.ok();
        let skus: Vec<String> =
            page["products"].as_array().unwrap().iter().map(|product| product["sku"].as_str().unwrap().to_owned()).collect();
        (skus.join(" "), page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(list("").await, ("S0 S1 S2 S3 S4".into(), None));
    let (skus, next) = list("limit=3").await;
    assert_eq!(skus, "S0 S1 S2");
    assert_eq!(list(&format!("limit=3&after={}", next.unwrap())).await, ("S3 S4".into(), None));
    assert_eq!(list("is_active=true").await.0, "S0 S1 S2 S4");
    assert_eq!(list(&format!("brand_id={}", id(&brand))).await.0, "S3");
    assert_eq!(list("q=mug%202").await.0, "S2");
    assert_eq!(list("q=S4").await.0, "S4");
    assert_eq!(list("q=%25").await.0, "");
    someone.get(&format!("{PRODUCTS}?limit=101")).await.problem(400, "bad-parameter");
    // Analysts look, and change nothing.
    let analyst = server.account(chimera_serving::api::access::Role::Analyst).await;
    let analyst = server.session(analyst, chimera_serving::api::access::Role::Analyst).await;
    server.send(Method::GET, PRODUCTS, &analyst, None).await.ok();
    server.send(Method::POST, PRODUCTS, &analyst, Some(&mug())).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_change_what_the_next_order_pays_and_are_remembered() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let product = someone.add(PRODUCTS, mug()).await;
    let path = format!("{PRODUCTS}/{}", id(&product));
    sqlx::query("INSERT INTO received VALUES ('MUG', 9), ('MUG-R', 9)").execute(&server.app.databases.orders).await.unwrap();
    let variant = someone.add(&format!("{path}/variants"), json!({ "sku": "MUG-R", "attributes": { "colour": "red" } })).await;
    let variant_path = format!("/api/v1/catalog/variants/{}", id(&variant));

    let price = |cents: i64| Some(json!({ "price_cents": cents, "currency": "GBP" }));
    someone.send(Method::PUT, &format!("{path}/price"), None, price(950)).await.problem(428, "precondition-required");
    someone.change(Method::PUT, &format!("{path}/price"), "\"9\"", price(950)).await.problem(412, "changed-meanwhile");
    someone.change(Method::PUT, &format!("{path}/price"), "*", price(-1)).await.problem(422, "invalid-body");
    let answer = someone.change(Method::PUT, &format!("{path}/price"), "\"1\"", price(950)).await;
    assert_eq!(answer.ok()["price_cents"], 950);
    reached(&answer);
    // The same again is no change.
    someone.change(Method::PUT, &format!("{path}/price"), "*", price(950)).await.ok();
    someone.change(Method::PUT, &variant_path, "\"1\"", Some(json!({ "attributes": {}, "price_cents": 1000 }))).await.ok();
    // As the operator, who has no account.
    let request = server.request(Method::PUT, &format!("{path}/price")).bearer_auth(TOKEN).header("if-match", "*");
    Answer::of(request.json(&price(975))).await.ok();

    let history = someone.get(&format!("{path}/price-changes")).await.ok();
    let told: Vec<Value> = history["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| json!([change["sku"], change["old_price_cents"], change["new_price_cents"], change["changed_by"]]))
        .collect();
    let by = someone.user_id;
    assert_eq!(told, [json!(["MUG", 950, 975, null]), json!(["MUG-R", null, 1000, by]), json!(["MUG", 899, 950, by])]);
    let page = someone.get(&format!("{path}/price-changes?limit=2")).await.ok();
    let rest = someone.get(&format!("{path}/price-changes?limit=2&after={}", page["next"])).await.ok();
    assert_eq!((rest["changes"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));

    let order = server
        .order("k", &json!({ "country": "France", "items": [{ "sku": "MUG", "quantity": 1 }, { "sku": "MUG-R", "quantity": 2 }] }))
        .await;
    assert_eq!(order.json()["total_cents"], 975 + 2 * 1000, "{}", order.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_come_and_go() {
    let Some(server) = Server::start().await else { return };
    let someone = Merchandiser::of(&server).await;
    let path = format!("{PRODUCTS}/{}/variants", id(&someone.add(PRODUCTS, mug()).await));
    let red = someone
        .add(&path, json!({ "sku": "MUG-R", "attributes": { "colour": "red", "ml": 300, "boxed": true }, "price_cents": 950 }))
        .await;
    someone.add(&path, json!({ "sku": "MUG-B" })).await;
    someone.post(&path, json!({ "sku": "MUG-R" })).await.problem(409, "sku-taken");
    someone.post(&path, json!({ "sku": "MUG" })).await.problem(409, "sku-taken");
    someone.post(PRODUCTS, json!({ "sku": "MUG-B", "name": "x", "price_cents": 1, "currency": "GBP" })).await.problem(409, "sku-taken");
    someone.post(&path, json!({ "sku": "X", "attributes": { "sizes": [1] } })).await.problem(422, "invalid-body");
    someone.post(&path, json!({ "sku": "X", "attributes": { "nul": "\u{0}" } })).await.problem(422, "invalid-body");
    let listed = someone.get(&path).await.ok();
    assert_eq!((&listed["variants"][0]["sku"], &listed["variants"][1]), (&json!("MUG-B"), &red));
    let red_path = format!("/api/v1/catalog/variants/{}", id(&red));
    assert_eq!(someone.get(&red_path).await.ok(), red);
    someone.send(Method::DELETE, &red_path, None, None).await.problem(428, "precondition-required");
    let changed = someone.change(Method::PUT, &red_path, "\"1\"", Some(json!({ "attributes": { "colour": "crimson" } }))).await.ok();
    assert_eq!((&changed["attributes"], &changed["price_cents"]), (&json!({ "colour": "crimson" }), &Value::Null));
    someone.change(Method::DELETE, &red_path, "\"1\"", None).await.problem(412, "changed-meanwhile");
    assert_eq!(someone.change(Method::DELETE, &red_path, "\"2\"", None).await.status, 204);
    someone.get(&red_path).await.problem(404, "variant-not-found");
    someone.get(&format!("{PRODUCTS}/00000000-0000-0000-0000-000000000000/variants")).await.problem(404, "product-not-found");
}
