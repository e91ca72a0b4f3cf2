//! The typed client against the server whose document it was made from.

use chimera_client::types::{
    Cancellation, ListPromotionsQuery, LogIn, NewCartItem, NewCheckout, PostalAddress, ProductFields, Progress, Registration, Rule, Status,
};
use chimera_client::{Client, Key, Retries};
use serde_json::json;

use super::server::{Server, TOKEN};

const PASSWORD: &str = "correct horse battery";

fn client(server: &Server) -> Client {
    Client::new(&server.base).unwrap().with_retries(Retries::NONE)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_buys_and_cancels() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 1200, 5).await;
    let guest = client(&server);
    let item = NewCartItem { sku: "MUG".into(), quantity: 2 };
    let cart = guest.add_item(Some(&Key::new()), &item).await.unwrap();
    assert_eq!((cart.items[0].unit_price_cents, cart.subtotal_cents), (Some(1200), 2400));
    let guest = guest.with_cart(cart.guest_token.clone().unwrap());
    assert_eq!(guest.get_cart().await.unwrap().total_items, 2);

    // Registering takes the cart along.
    let email = "ada@example.com".to_owned();
    let tokens = guest.register(&Registration { email: email.clone(), password: PASSWORD.into() }).await.unwrap();
    assert_eq!(tokens.status, 201);
    let ada = client(&server).with_bearer(&tokens.access_token);
    assert_eq!(ada.get_me().await.unwrap().email, email);
    let purchase = NewCheckout {
        payment_token: "tok_visa".into(),
        shipping_address: Some(PostalAddress {
            recipient: "Ada Lovelace".into(),
            address_line_1: "12 St James's Square".into(),
            city: "London".into(),
            postal_code: "SW1Y 4LE".into(),
            country: "United Kingdom".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let key = Key::new();
    let bought = ada.create_checkout(&key, &purchase).await.unwrap();
    assert_eq!((bought.status, bought.body.status), (reqwest::StatusCode::CREATED, Progress::Completed));
    let order = bought.order.clone().unwrap();
    assert_eq!((order.status, order.total_cents), (Status::Paid, Some(bought.quote.total_cents)));
    let again = ada.create_checkout(&key, &purchase).await.unwrap();
    assert!(again.is_replayed() && again.id == bought.id);
    assert_eq!(ada.list_orders(&Default::default()).await.unwrap().orders.len(), 1);
    let cancelled = ada.cancel_order(order.id, &Cancellation { reason: None }).await.unwrap();
    assert_eq!((cancelled.order.status, cancelled.order.refunded_cents), (Status::Cancelled, bought.quote.total_cents));

    // What is refused comes with the server's reason.
    let other = NewCheckout { payment_token: "tok_declined".into(), ..purchase };
    let error = ada.create_checkout(&key, &other).await.unwrap_err();
    assert!(error.is("idempotency-key-reused"), "{error}");
    ada.add_item(None, &NewCartItem { sku: "MUG".into(), quantity: 9 }).await.unwrap();
    let error = ada.create_checkout(&Key::new(), &other).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.name(), problem.status), ("out-of-stock", 409));
    assert_eq!(problem.extensions["items"][0]["sku"], "MUG");
    let error = guest.get_me().await.unwrap_err();
    assert!(error.is("unauthenticated"), "{error}");
    let error = guest.log_in(&LogIn { email, password: "wrong".into(), ..Default::default() }).await.unwrap_err();
    assert_eq!(error.status(), Some(401), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_people_use_etags_and_enumerations() {
    let Some(server) = Server::start().await else { return };
    let people = client(&server).with_bearer(TOKEN);
    let wanted = serde_json::from_value(json!({ "sku": "TEAPOT", "name": "Teapot", "price_cents": 2500, "currency": "GBP" })).unwrap();
    let made = people.create_catalog_product(&wanted).await.unwrap();
    let etag = made.etag().unwrap().to_owned();
    let fields = ProductFields { name: "Red teapot".into(), ..Default::default() };
    let changed = people.put_catalog_product(made.id, &etag, &fields).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.version), ("Red teapot", made.version + 1));
    let error = people.put_catalog_product(made.id, &etag, &fields).await.unwrap_err();
    assert_eq!(error.status(), Some(412), "{error}");

    let terms = serde_json::from_value(json!({ "name": "Sale", "rule": { "kind": "percentage", "basis_points": 1500 } })).unwrap();
    let promotion = people.create_promotion(&terms).await.unwrap();
    let listed = people.list_promotions(&ListPromotionsQuery { limit: Some(1), ..Default::default() }).await.unwrap();
    assert_eq!(listed.promotions[0].id, promotion.id);
    assert_eq!(listed.promotions[0].rule, Rule::Percentage { basis_points: 1500 });
    people.delete_promotion(promotion.id).await.unwrap();
}
