//! What is changed is what REST would have changed.

use chimera_serving::api::access::Role;
use serde_json::{Value, json};

use super::{Asker, id, shop};
use crate::api::checkout::{check_books, count};

const ADD: &str = "mutation ($id: ID, $sku: String, $n: Int!, $key: String) {
    addCartItem(productId: $id, sku: $sku, quantity: $n, idempotencyKey: $key) { guestToken totalItems items { sku quantity } } }";
const PLACE: &str = "mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { id status total items { sku quantity } } }";

fn guest_input(key: &str, token: &str) -> Value {
    json!({ "input": { "idempotencyKey": key, "paymentToken": token, "email": "ada@example.com", "shippingAddress": { "recipient": "Ada Lovelace",
        "addressLine1": "12 St James's Square", "city": "London", "postalCode": "SW1Y 4LE", "country": "United Kingdom" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_fills_a_cart_and_buys_it_once() {
    let Some(server) = shop().await else { return };
    let mut guest = Asker::guest(&server);
    assert_eq!(guest.refused(PLACE, guest_input("a", "tok_visa")).await["type"], "/problems/cart-empty");
    let first = guest.data(ADD, json!({ "id": id("HEART"), "n": 1, "key": "1" })).await["addCartItem"].clone();
    guest.cart = Some(first["guestToken"].as_str().unwrap().to_owned());
    for _ in 0..2 {
        let added = guest.data(ADD, json!({ "sku": "BAG", "n": 2, "key": "2" })).await["addCartItem"].clone();
        assert_eq!((&added["totalItems"], &added["guestToken"]), (&json!(3), &Value::Null), "an addition under a key is made once");
    }
    let set = "mutation ($id: ID, $n: Int!) { updateCartItem(productId: $id, quantity: $n) { totalItems } }";
    assert_eq!(guest.data(set, json!({ "id": id("HEART"), "n": 5 })).await["updateCartItem"]["totalItems"], 7);
    let remove = "mutation { removeCartItem(sku: \"BAG\") { items { sku quantity } } }";
    assert_eq!(guest.data(remove, json!({})).await["removeCartItem"]["items"], json!([{ "sku": "HEART", "quantity": 5 }]));
    assert_eq!(guest.get("/api/v1/cart").await["items"][0]["quantity"], 5);

    let refused = guest.refused(remove, json!({})).await;
    assert_eq!((&refused["type"], &refused["status"]), (&json!("/problems/not-in-cart"), &json!(404)));
    assert_eq!(guest.refused(ADD, json!({ "sku": "none", "n": 1 })).await["type"], "/problems/unknown-sku");
    assert_eq!(guest.refused(ADD, json!({ "id": uuid::Uuid::nil(), "n": 1 })).await["type"], "/problems/product-not-found");
    for wrong in [json!({ "sku": "BAG", "n": 0 }), json!({ "sku": "BAG", "id": id("BAG"), "n": 1 }), json!({ "n": 1 })] {
        assert_eq!(guest.refused(ADD, wrong).await["type"], "/problems/invalid-body");
    }
    assert_eq!(guest.refused(ADD, json!({ "sku": "BAG", "n": 1, "key": "" })).await["type"], "/problems/idempotency-key-needed");

    assert_eq!(guest.refused(PLACE, guest_input("b", "tok_declined")).await["type"], "/problems/payment-declined");
    let mut input = guest_input("c", "tok_visa");
    input["input"]["total"] = json!(1);
    let refused = guest.refused(PLACE, input).await;
    assert_eq!((&refused["type"], &refused["status"]), (&json!("/problems/price-changed"), &json!(409)));
    assert!(refused["quote"]["total_cents"].as_i64().unwrap() > 1000, "{refused}");
    let order = guest.data(PLACE, guest_input("d", "tok_visa")).await["placeOrder"].clone();
    assert_eq!((&order["status"], &order["items"]), (&json!("paid"), &json!([{ "sku": "HEART", "quantity": 5 }])));
    assert_eq!(guest.data(PLACE, guest_input("d", "tok_visa")).await["placeOrder"], order, "the same purchase");
    let checkout = guest.get(&format!("/api/v1/checkout/{}", order["id"].as_str().unwrap())).await;
    assert_eq!(checkout["order"]["total_cents"], order["total"]);
    while count(&server.app.databases.orders, "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    check_books(&server).await;
    assert_eq!(count(&server.app.databases.orders, "SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_filled_in_and_replaced_whole() {
    let Some(server) = shop().await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    let update = "mutation ($input: UserProfileUpdateInput!) { updateProfile(input: $input) { firstName phoneNumber preferredCurrency } }";
    let whole = json!({ "input": { "firstName": "Ada", "lastName": "Lovelace", "phoneNumber": "+44 20", "preferredCurrency": "EUR" } });
    let told = ada.data(update, whole).await["updateProfile"].clone();
    assert_eq!(told, json!({ "firstName": "Ada", "phoneNumber": "+44 20", "preferredCurrency": "EUR" }));
    ada.data(update, json!({ "input": { "firstName": "Augusta", "lastName": "King" } })).await;
    let rest = ada.get("/api/v1/users/me").await;
    assert_eq!((&rest["first_name"], &rest["phone_number"], &rest["preferred_currency"]), (&json!("Augusta"), &Value::Null, &json!("USD")));
    let refused = ada.refused(update, json!({ "input": { "firstName": "", "lastName": "\u{1}" } })).await;
    assert_eq!((&refused["type"], refused["errors"].as_array().unwrap().len()), (&json!("/problems/invalid-body"), 2));
}
