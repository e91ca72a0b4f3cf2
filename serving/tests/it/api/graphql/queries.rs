//! The blueprint's queries, against what REST says.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Asker, id, shop};

#[tokio::test(flavor = "multi_thread")]
async fn products_are_those_of_rest() {
    let Some(server) = shop().await else { return };
    let guest = Asker::guest(&server);
    let query =
        "query ($id: ID!) { product(id: $id) { id sku name description category { name parent { name parent { name } } } brand { name }
        basePrice currency availableStock isActive variants { sku attributes price availableStock } } }";
    let shown = guest.data(query, json!({ "id": id("MUG") })).await["product"].clone();
    let rest = guest.get(&format!("/api/v1/products/{}", id("MUG"))).await["product"].clone();
    for (field, member) in [
        ("id", "id"),
        ("sku", "sku"),
        ("name", "name"),
        ("description", "description"),
        ("basePrice", "price_cents"),
        ("currency", "currency"),
    ] {
        assert_eq!(shown[field], rest[member], "{field}");
    }
    assert_eq!((&shown["availableStock"], &shown["brand"]["name"]), (&rest["available"], &rest["brand"]));
    assert_eq!(shown["category"], json!({ "name": rest["category"], "parent": { "name": "Home", "parent": null } }));
    assert_eq!(shown["isActive"], true);
    let variants = json!([{ "sku": "MUG-R", "attributes": { "colour": "red" }, "price": null, "availableStock": null }]);
    assert_eq!(shown["variants"], variants);

    let kitchen: String = sqlx::query_scalar("SELECT id::text FROM categories WHERE name = 'Kitchen'")
        .fetch_one(&server.app.databases.catalog)
        .await
        .unwrap();
    let dear: String =
        sqlx::query_scalar("SELECT id::text FROM brands WHERE name = 'Dear'").fetch_one(&server.app.databases.catalog).await.unwrap();
    let search = "query ($q: String!, $category: ID, $brand: ID, $min: Int, $max: Int) {
        searchProducts(query: $q, categoryId: $category, brandId: $brand, minPrice: $min, maxPrice: $max) { id sku basePrice } }";
    for (variables, rest) in [
        (json!({ "q": "lantern" }), "q=lantern"),
        (json!({ "q": "enamel", "category": kitchen }), "q=enamel&category=Kitchen"),
        (json!({ "q": "", "brand": dear }), "q=&brand=Dear"),
        (json!({ "q": "", "min": 250, "max": 1300 }), "q=&min_price=250&max_price=1300"),
        (json!({ "q": "lanten" }), "q=lanten"),
    ] {
        let found = guest.data(search, variables).await["searchProducts"].clone();
        let hits = guest.get(&format!("/api/v1/search?{rest}")).await["hits"].clone();
        let hits: Vec<Value> = hits
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| json!({ "id": hit["id"], "sku": hit["sku"], "basePrice": hit["price_cents"] }))
            .collect();
        assert!(!hits.is_empty());
        assert_eq!(found, json!(hits), "{rest}");
    }
    let nothing = uuid::Uuid::nil();
    let refused = guest.refused("query ($id: ID!) { product(id: $id) { id } }", json!({ "id": nothing })).await;
    assert_eq!((&refused["type"], &refused["status"]), (&json!("/problems/product-not-found"), &json!(404)));
    assert_eq!(guest.refused("{ product(id: \"1\") { id } }", json!({})).await["type"], "/problems/bad-parameter");
    let refused = guest.refused(search, json!({ "q": "", "brand": nothing })).await;
    assert_eq!(refused["type"], "/problems/brand-not-found");
    assert_eq!(guest.refused(search, json!({ "q": "", "min": 2, "max": 1 })).await["type"], "/problems/bad-parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_carts_and_orders_are_those_of_rest() {
    let Some(server) = shop().await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    let bare = ada.data("{ me { id email firstName addresses { id } orders { id } } cart { id } }", json!({})).await;
    assert_eq!((&bare["me"]["firstName"], &bare["me"]["addresses"], &bare["cart"]), (&Value::Null, &json!([]), &Value::Null));
    let profile = json!({ "first_name": "Ada", "last_name": "Lovelace", "phone_number": "+44 20 7946 0000", "preferred_currency": "EUR" });
    ada.send(Method::PUT, "/api/v1/users/me", &profile).await.ok();
    for kind in ["shipping", "billing"] {
        let address = json!({ "address_type": kind, "recipient": "Ada Lovelace", "address_line_1": "12 St James's Square", "city": "London",
            "postal_code": "SW1Y 4LE", "country": "United Kingdom" });
        assert_eq!(ada.send(Method::POST, "/api/v1/users/me/addresses", &address).await.status, 201);
    }
    let me =
        "{ me { id firstName lastName email phoneNumber preferredCurrency createdAt updatedAt addresses { id addressLine1 addressLine2 city
        stateProvince postalCode country addressType isDefault } } }";
    let me = ada.data(me, json!({})).await["me"].clone();
    let (profile, account) = (ada.get("/api/v1/users/me").await, ada.get("/api/v1/auth/me").await);
    for (field, told) in [
        ("id", &account["user_id"]),
        ("email", &account["email"]),
        ("createdAt", &account["created_at"]),
        ("firstName", &profile["first_name"]),
        ("lastName", &profile["last_name"]),
        ("phoneNumber", &profile["phone_number"]),
        ("preferredCurrency", &profile["preferred_currency"]),
        ("updatedAt", &profile["updated_at"]),
    ] {
        assert_eq!(&me[field], told, "{field}");
    }
    let addresses = ada.get("/api/v1/users/me/addresses").await["addresses"].clone();
    let addresses: Vec<Value> = addresses
        .as_array()
        .unwrap()
        .iter()
        .map(|of| {
            json!({ "id": of["id"], "addressLine1": of["address_line_1"],
        "addressLine2": of["address_line_2"], "city": of["city"], "stateProvince": of["state_province"], "postalCode": of["postal_code"],
        "country": of["country"], "addressType": of["address_type"], "isDefault": of["is_default"] })
        })
        .collect();
    assert_eq!(me["addresses"], json!(addresses));

    for (sku, quantity) in [("MUG", 2), ("HEART", 1)] {
        ada.send(Method::POST, "/api/v1/cart/items", &json!({ "sku": sku, "quantity": quantity })).await.ok();
    }
    let cart = "{ cart { id userId version totalItems subtotal totalPrice currency isReady lastAccessedAt
        items { productId sku quantity name price imageUrl totalPrice availableStock obstacle product { name } } } }";
    let shown = ada.data(cart, json!({})).await["cart"].clone();
    let rest = ada.get("/api/v1/cart").await;
    let items: Vec<Value> = rest["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| {
            json!({ "productId": of["product_id"], "sku": of["sku"],
        "quantity": of["quantity"], "name": of["name"], "price": of["unit_price_cents"], "imageUrl": of["image_url"],
        "totalPrice": of["total_cents"], "availableStock": of["available"], "obstacle": of["obstacle"], "product": { "name": of["name"] } })
        })
        .collect();
    assert_eq!(shown["items"], json!(items));
    assert_eq!(items[1]["obstacle"], "not_enough_stock");
    for (field, member) in [
        ("id", "id"),
        ("version", "version"),
        ("totalItems", "total_items"),
        ("subtotal", "subtotal_cents"),
        ("currency", "currency"),
        ("isReady", "is_ready"),
    ] {
        assert_eq!(shown[field], rest[member], "{field}");
    }
    assert_eq!(shown["userId"], account["user_id"]);
    let lines = json!({ "items": [{ "sku": "MUG", "quantity": 2 }, { "sku": "HEART", "quantity": 1 }] });
    let quote = ada.send(Method::POST, "/api/v1/pricing/quote", &lines).await.ok();
    assert_eq!(shown["totalPrice"], quote["total_cents"]);
    let accessed: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("SELECT last_accessed_at FROM carts").fetch_one(&server.app.databases.carts).await.unwrap();
    assert_eq!(shown["lastAccessedAt"], json!(accessed));

    let place = "mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { id } }";
    let mut ids = vec![];
    for i in 0..3 {
        ada.send(Method::POST, "/api/v1/cart/items", &json!({ "sku": "MUG", "quantity": 1 })).await.ok();
        let input = json!({ "idempotencyKey": format!("k{i}"), "paymentToken": "tok_visa" });
        ids.push(ada.data(place, json!({ "input": input })).await["placeOrder"]["id"].as_str().unwrap().to_owned());
    }
    ids.reverse();
    let order = "{ id number userId status subtotal shipping tax discount total refunded currency createdAt updatedAt
        shippingAddress { recipient addressLine1 city postalCode country } billingAddress { city }
        items { lineNo productId sku name quantity unitPrice paid shipped returned currentPrice product { sku } } history { status occurredAt } }";
    let orders =
        format!("query ($user: ID!, $first: Int = 20, $before: ID) {{ orders(userId: $user, first: $first, before: $before) {order} }}");
    let listed = ada.data(&orders, json!({ "user": account["user_id"] })).await["orders"].clone();
    let listed_ids: Vec<&str> = listed.as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!(listed_ids, ids);
    for (shown, id) in listed.as_array().unwrap().iter().zip(&ids) {
        let alone = ada.data(&format!("query ($id: ID!) {{ order(id: $id) {order} }}"), json!({ "id": id })).await["order"].clone();
        assert_eq!(shown, &alone);
        let rest = ada.get(&format!("/api/v1/orders/{id}")).await;
        for (field, member) in [
            ("number", "number"),
            ("userId", "customer_id"),
            ("status", "status"),
            ("subtotal", "subtotal_cents"),
            ("shipping", "shipping_cents"),
            ("tax", "tax_cents"),
            ("discount", "discount_cents"),
            ("total", "total_cents"),
            ("refunded", "refunded_cents"),
            ("currency", "currency"),
            ("createdAt", "placed_at"),
        ] {
            assert_eq!(shown[field], rest[member], "{field}");
        }
        let to = &rest["shipping_address"];
        let address = json!({ "recipient": to["recipient"], "addressLine1": to["address_line_1"], "city": to["city"],
            "postalCode": to["postal_code"], "country": to["country"] });
        assert_eq!(shown["shippingAddress"], address);
        let items: Vec<Value> = rest["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| {
                json!({ "lineNo": of["line_no"],
            "productId": super::id(of["sku"].as_str().unwrap()), "sku": of["sku"], "name": of["name"], "quantity": of["quantity"],
            "unitPrice": of["unit_price"], "paid": of["paid_cents"], "shipped": of["shipped"], "returned": of["returned"],
            "currentPrice": if of["sku"] == "MUG" { 899 } else { 255 }, "product": { "sku": of["sku"] } })
            })
            .collect();
        assert_eq!(shown["items"], json!(items));
        let history: Vec<Value> = rest["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| json!({ "status": of["status"], "occurredAt": of["occurred_at"] }))
            .collect();
        assert_eq!((&shown["history"], &shown["updatedAt"]), (&json!(history), &history.last().unwrap()["occurredAt"]));
    }
    // A page at a time, and the same by way of the user.
    let page = ada.data(&orders, json!({ "user": account["user_id"], "first": 2, "before": ids[0] })).await["orders"].clone();
    assert_eq!(page, json!([listed[1], listed[2]]));
    let mine = ada.data("{ me { orders(first: 1) { id } } }", json!({})).await;
    assert_eq!(mine["me"]["orders"], json!([{ "id": ids[0] }]));
    for (first, problem) in [(0, "bad-parameter"), (101, "bad-query"), (-1, "bad-parameter")] {
        let refused = ada.refused(&orders, json!({ "user": account["user_id"], "first": first })).await;
        assert_eq!(refused["type"], format!("/problems/{problem}"), "{first}");
    }
}
