//! What a shopper does with a cart, and what is refused.

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CART, ITEMS, Shopper, catalog_sql, kept, of, units};
use crate::api::server::{Answer, Server, TOKEN, pretty};

/// What the `search_index` pipeline keeps of a product.
async fn document(server: &Server, sku: &str, available: i64) {
    let catalog = &server.app.databases.catalog;
    let id: Uuid = sqlx::query_scalar("SELECT id FROM products WHERE sku = $1").bind(sku).fetch_one(catalog).await.unwrap();
    let mut redis = server.app.redis.clone();
    let variants = json!([{ "sku": format!("{sku}-red"), "attributes": {}, "price_cents": null }]).to_string();
    let document = json!({ "id": id, "sku": sku, "name": format!("The {sku}"), "description": null, "brand": null, "category": null,
        "price_cents": 1, "currency": "GBP", "available": available, "popularity": 0, "variants": variants,
        "image_id": "1b4e28ba-2fa1-41d2-883f-0016d3cca427" });
    let () = redis.set(format!("product:{id}"), document.to_string()).await.unwrap();
}

/// What the `inventory` pipeline keeps of a SKU.
async fn stock(server: &Server, sku: &str, available: i64) {
    let stock = json!({ "sku": sku, "received": available, "sold": 0, "returned": 0, "available": available });
    let () = server.app.redis.clone().set(format!("stock:{sku}"), stock.to_string()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_fills_changes_and_empties_a_cart() {
    let Some(server) = Server::start().await else { return };
    server.product("B", 255, 100).await;
    server.product("A", 1999, 100).await;
    // An earlier test of the same Redis may have left them.
    let () = server.app.redis.clone().del(vec!["stock:A", "stock:B"]).await.unwrap();
    document(&server, "B", 100).await;
    let nothing = Shopper::New.cart(&server).await;
    assert_eq!((&nothing["id"], &nothing["version"], &nothing["is_ready"]), (&json!(null), &json!(0), &json!(false)));
    let guest = Shopper::guest(&server, "B", 2).await;
    assert!(guest.token().starts_with("chg_") && guest.token().len() == 47);
    let answer = guest.add(&server, "A", 1).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut cart = answer.ok();
    assert_eq!(guest.cart(&server).await, cart);
    cart["id"] = json!("…");
    for item in cart["items"].as_array_mut().unwrap() {
        assert!(item["product_id"].is_string(), "{item}");
        item["product_id"] = json!("…");
    }
    insta::assert_snapshot!(pretty(&cart), @r#"
    {
      "currency": "GBP",
      "id": "…",
      "is_ready": true,
      "items": [
        {
          "available": null,
          "image_url": null,
          "name": "A",
          "product_id": "…",
          "quantity": 1,
          "sku": "A",
          "total_cents": 1999,
          "unit_price_cents": 1999
        },
        {
          "available": 100,
          "image_url": "/api/v1/images/1b4e28ba-2fa1-41d2-883f-0016d3cca427",
          "name": "B",
          "product_id": "…",
          "quantity": 2,
          "sku": "B",
          "total_cents": 510,
          "unit_price_cents": 255
        }
      ],
      "subtotal_cents": 2509,
      "total_items": 3,
      "version": 2
    }
    "#);
    assert_eq!(units(&guest.add(&server, "B", 3).await.ok()), of(&[("A", 1), ("B", 5)]));
    assert_eq!(units(&guest.set(&server, "A", 7).await.ok()), of(&[("A", 7), ("B", 5)]));
    // Nothing is changed: the version stays.
    assert_eq!(guest.set(&server, "A", 7).await.ok()["version"], 4);
    assert_eq!(units(&guest.remove(&server, "B").await.ok()), of(&[("A", 7)]));
    guest.remove(&server, "B").await.problem(404, "not-in-cart");
    guest.set(&server, "B", 1).await.problem(404, "not-in-cart");
    let emptied = Answer::of(guest.request(&server, Method::DELETE, CART)).await.ok();
    assert_eq!((&emptied["items"], &emptied["version"], &emptied["currency"]), (&json!([]), &json!(6), &json!(null)));
    assert_eq!(kept(&server).await, []);
    // Who has no cart has nothing to take out, and emptying nothing is done.
    Shopper::New.remove(&server, "A").await.problem(404, "not-in-cart");
    Shopper::New.set(&server, "A", 1).await.problem(404, "not-in-cart");
    assert_eq!(Answer::of(Shopper::New.request(&server, Method::DELETE, CART)).await.ok()["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_has_a_cart_of_their_own() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 100).await;
    let (ada, bob) = (Shopper::account(&server).await, Shopper::account(&server).await);
    let (guest, other) = (Shopper::guest(&server, "A", 1).await, Shopper::guest(&server, "A", 2).await);
    assert_eq!(units(&ada.add(&server, "A", 3).await.ok()), of(&[("A", 3)]));
    assert!(ada.cart(&server).await.get("guest_token").is_none());
    assert_eq!(bob.cart(&server).await["items"], json!([]));
    assert_eq!(units(&guest.cart(&server).await), of(&[("A", 1)]));
    assert_eq!(units(&other.cart(&server).await), of(&[("A", 2)]));
    // With both, the account counts, and the guest's cart is left alone.
    let both = ada.request(&server, Method::GET, CART).header("chimera-cart", guest.token());
    assert_eq!(units(&Answer::of(both).await.ok()), of(&[("A", 3)]));
    assert_eq!(units(&guest.cart(&server).await), of(&[("A", 1)]));
    // A token that is in nobody's hands is an empty cart, which can be filled.
    let unknown = Shopper::Guest(format!("chg_{}", "x".repeat(43)));
    assert_eq!(unknown.cart(&server).await["id"], json!(null));
    assert_eq!(units(&unknown.add(&server, "A", 4).await.ok()), of(&[("A", 4)]));
    for wrong in ["", "x", "chg_", "chg_short"] {
        Answer::of(server.request(Method::GET, CART).header("chimera-cart", wrong)).await.problem(400, "bad-parameter");
    }
    server.send(Method::GET, CART, TOKEN, None).await.problem(403, "no-account");
    assert_eq!(kept(&server).await, of(&[("A", 10)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_the_catalogues_of_today_and_changes_are_told() {
    let Some(server) = Server::start().await else { return };
    server.product("A", 100, 100).await;
    server.product("B", 250, 100).await;
    catalog_sql(
        &server,
        "INSERT INTO product_variants (product_id, variant_sku, price_cents) SELECT id, 'A-red', 120 FROM products WHERE sku = 'A'",
    )
    .await;
    let ada = Shopper::account(&server).await;
    for body in [json!({ "sku": "A", "quantity": 1, "price_cents": 1 }), json!({ "sku": "A", "quantity": 1, "unit_price": "0.01" })] {
        let problem = Answer::of(ada.request(&server, Method::POST, ITEMS).json(&body)).await.problem(422, "invalid-body");
        assert!(problem["detail"].as_str().unwrap().contains("Prices come from the catalogue"), "{problem}");
    }
    for (sku, quantity) in [("A", 2), ("A-red", 3), ("B", 1)] {
        ada.add(&server, sku, quantity).await.ok();
    }
    let sum = 2 * 100 + 3 * 120 + 250;
    let cart = ada.cart(&server).await;
    assert_eq!((cart["subtotal_cents"].as_i64(), cart["total_items"].as_i64()), (Some(sum), Some(6)));
    assert!(cart["items"].as_array().unwrap().iter().all(|item| item.get("was_unit_price_cents").is_none()));

    catalog_sql(&server, "UPDATE products SET base_price_cents = 90 WHERE sku = 'A'").await;
    let cart = ada.cart(&server).await;
    let dearer = &cart["items"][0];
    assert_eq!([&dearer["unit_price_cents"], &dearer["was_unit_price_cents"], &dearer["total_cents"]], [90, 100, 180]);
    assert!(cart["items"][1].get("was_unit_price_cents").is_none(), "the variant has a price of its own");
    assert_eq!((cart["subtotal_cents"].as_i64(), &cart["is_ready"]), (Some(sum - 20), &json!(true)));
    // Who puts one more in has seen the new price.
    assert!(ada.add(&server, "A", 1).await.ok()["items"][0].get("was_unit_price_cents").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_an_order_is_told() {
    let Some(server) = Server::start().await else { return };
    for sku in ["FEW", "GONE", "GOOD", "OTHER"] {
        server.product(sku, 100, 100).await;
        document(&server, sku, if sku == "FEW" { 2 } else { 50 }).await;
    }
    let ada = Shopper::account(&server).await;
    for sku in ["FEW", "GONE", "GOOD", "OTHER"] {
        ada.add(&server, sku, 3).await.ok();
    }
    catalog_sql(
        &server,
        "UPDATE products SET is_active = false WHERE sku = 'GONE'; UPDATE products SET currency = 'EUR' WHERE sku = 'OTHER'",
    )
    .await;
    let cart = ada.cart(&server).await;
    let obstacles: Vec<&str> = cart["items"].as_array().unwrap().iter().map(|item| item["obstacle"].as_str().unwrap_or("none")).collect();
    assert_eq!(obstacles, ["not_enough_stock", "not_offered", "none", "other_currency"]);
    assert_eq!(cart["items"][1]["unit_price_cents"], json!(null));
    // Of those that are offered in pounds: FEW and GOOD.
    assert_eq!((&cart["is_ready"], &cart["currency"], &cart["subtotal_cents"]), (&json!(false), &json!("GBP"), &json!(600)));
    ada.set(&server, "GONE", 1).await.problem(422, "unknown-sku");
    let problem = ada.set(&server, "OTHER", 1).await.problem(422, "mixed-currencies");
    assert!(problem["detail"].as_str().unwrap().contains("EUR"), "{problem}");
    ada.set(&server, "FEW", 2).await.ok();
    ada.remove(&server, "GONE").await.ok();
    let cart = ada.remove(&server, "OTHER").await.ok();
    assert_eq!((&cart["is_ready"], &cart["subtotal_cents"]), (&json!(true), &json!(500)));
    // Without the stores' documents the cart is shown all the same.
    let _: () = redis::cmd("FLUSHDB").query_async(&mut server.app.redis.clone()).await.unwrap();
    let bare = ada.cart(&server).await;
    assert_eq!((units(&bare), &bare["items"][0]["name"], &bare["subtotal_cents"]), (units(&cart), &json!("FEW"), &json!(500)));
    assert_eq!([&bare["items"][0]["available"], &bare["items"][0]["image_url"]], [&json!(null), &json!(null)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_has_its_products_name_and_stock_of_its_own() {
    let Some(server) = Server::start().await else { return };
    server.product("CUP", 100, 100).await;
    catalog_sql(
        &server,
        "UPDATE products SET name = 'A cup' WHERE sku = 'CUP';
         INSERT INTO product_variants (product_id, variant_sku, price_cents)
         SELECT id, variant, 120 FROM products, unnest(ARRAY['CUP-red', 'CUP-blue']) AS variant WHERE sku = 'CUP'",
    )
    .await;
    document(&server, "CUP", 100).await;
    stock(&server, "CUP", 50).await;
    stock(&server, "CUP-blue", 0).await;
    let ada = Shopper::account(&server).await;
    for sku in ["CUP", "CUP-blue", "CUP-red"] {
        ada.add(&server, sku, 3).await.ok();
    }
    let told = |cart: &Value| -> Vec<Value> {
        let items = cart["items"].as_array().unwrap().iter();
        items.map(|item| json!([item["sku"], item["name"], item["available"], item["obstacle"]])).collect()
    };
    // Of the product there is enough. Nothing was ever received of the red one.
    let cart = ada.cart(&server).await;
    let expected =
        json!([["CUP", "A cup", 50, null], ["CUP-blue", "A cup", 0, "not_enough_stock"], ["CUP-red", "A cup", 0, "not_enough_stock"]]);
    assert_eq!((json!(told(&cart)), &cart["is_ready"]), (expected, &json!(false)));
    for item in cart["items"].as_array().unwrap() {
        assert_eq!(item["product_id"], cart["items"][0]["product_id"]);
        assert_eq!(item["image_url"], "/api/v1/images/1b4e28ba-2fa1-41d2-883f-0016d3cca427");
    }
    assert!(cart["items"][0]["product_id"].is_string(), "{cart}");
    stock(&server, "CUP-red", 3).await;
    let cart = ada.remove(&server, "CUP-blue").await.ok();
    let expected = json!([["CUP", "A cup", 50, null], ["CUP-red", "A cup", 3, null]]);
    assert_eq!((json!(told(&cart)), &cart["is_ready"]), (expected, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bound_is_held() {
    let Some(server) = Server::start().await else { return };
    catalog_sql(
        &server,
        "INSERT INTO products (sku, name, base_price_cents) SELECT 'S' || n, 'x', 2147483647 FROM generate_series(1, 101) n",
    )
    .await;
    let ada = Shopper::account(&server).await;
    for n in 1..=100 {
        ada.add(&server, &format!("S{n}"), 10_000).await.ok();
    }
    ada.add(&server, "S101", 1).await.problem(409, "cart-full");
    ada.add(&server, "S1", 1).await.problem(409, "cart-full");
    let cart = ada.cart(&server).await;
    assert_eq!(cart["subtotal_cents"].as_i64(), Some(100 * 10_000 * 2_147_483_647));
    assert_eq!(cart["total_items"].as_i64(), Some(1_000_000));
    for quantity in [0, -1, 10_001, i64::MAX] {
        let problem = ada.add(&server, "S1", quantity).await.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["path"], "quantity", "{problem}");
        ada.set(&server, "S1", quantity).await.problem(422, "invalid-body");
    }
    for sku in ["", " ", "a\u{0}", "a\u{1}of", &"x".repeat(101)] {
        let problem = ada.add(&server, sku, 1).await.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["path"], "sku", "{problem}");
    }
    assert_eq!(ada.add(&server, "", 0).await.problem(422, "invalid-body")["errors"].as_array().unwrap().len(), 2);
    ada.add(&server, "nowhere", 1).await.problem(422, "unknown-sku");
    for path in ["a%00", "%01of", &"x".repeat(101), "nowhere"] {
        ada.remove(&server, path).await.problem(404, "not-in-cart");
        ada.set(&server, path, 1).await.problem(404, "not-in-cart");
    }
    let long = json!({ "sku": "S1", "quantity": 1, "x": "y".repeat(3000) });
    Answer::of(ada.request(&server, Method::POST, ITEMS).json(&long)).await.problem(413, "body-too-large");
    assert_eq!(ada.cart(&server).await, cart);
    // What is refused makes no cart.
    let bob = Shopper::account(&server).await;
    bob.add(&server, "nowhere", 1).await.problem(422, "unknown-sku");
    assert_eq!(super::count(&server, "carts").await, 1);
}
