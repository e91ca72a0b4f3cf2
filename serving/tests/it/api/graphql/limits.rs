//! What is too much.

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Asker, PATH, shop};

#[tokio::test(flavor = "multi_thread")]
async fn deep_costly_and_long_queries_are_refused_before_they_run() {
    let Some(server) = shop().await else { return };
    let ada = Asker::of(&server, Role::Shopper).await;
    let user = ada.get("/api/v1/auth/me").await["user_id"].as_str().unwrap().to_owned();
    let parents = |n: usize| {
        let (open, close) = ("parent { ".repeat(n), " }".repeat(n));
        format!("{{ searchProducts(query: \"mug\", first: 1) {{ category {{ {open} name {close} }} }} }}")
    };
    let found = ada.data(&parents(13), json!({})).await;
    assert_eq!(found["searchProducts"][0]["category"]["parent"]["parent"], Value::Null);
    let orders =
        |first: usize| format!("{{ orders(userId: \"{user}\", first: {first}) {{ items {{ product {{ variants {{ sku }} }} }} }} }}");
    ada.data(&orders(20), json!({})).await;
    let mutations = |n: usize| {
        let one = |i: usize| format!("m{i}: removeCartItem(sku: \"{i}\") {{ id }} ");
        format!("mutation {{ {} }}", (0..n).map(one).collect::<String>())
    };
    let aliases = |n: usize, of: &str| (0..n).map(|i| format!("a{i}: {of} ")).collect::<String>();
    let mut bomb = "{ ...f0 }".to_owned();
    for i in 0..30 {
        bomb.push_str(&format!(" fragment f{i} on Query {{ ...f{} ...f{} }}", i + 1, i + 1));
    }
    bomb.push_str(" fragment f30 on Query { __typename }");
    for (query, why) in [
        (parents(14), "nested too deep"),
        ("{ a".repeat(8000), "nested deeper"),
        (orders(100), "too complex"),
        (mutations(6), "too complex"),
        // Each of these is a statement, or several.
        (format!("{{ {} }}", aliases(100, "cart { lastAccessedAt }")), "too complex"),
        (format!("{{ {} }}", aliases(60, "me { id }")), "too complex"),
        (format!("{{ cart {{ {} }} }}", aliases(300, "lastAccessedAt")), "too complex"),
        (format!("{{ cart {{ {} }} }}", aliases(60, "totalPrice")), "too complex"),
        (format!("{{ searchProducts(query: \"\", first: 2147483647) {{ {} }} }}", "id sku ".repeat(40)), "too complex"),
        (bomb, "fields"),
        (format!("{{ me {{ {} }} }}", "id ".repeat(2100)), "fields"),
        ("{ ...a } fragment a on Query { ...a }".to_owned(), "part of itself"),
        ("{ none }".to_owned(), "Unknown field"),
        ("{ me { id }".to_owned(), "expected"),
        ("subscription { onCartUpdate { id } }".to_owned(), "graphql/ws"),
    ] {
        let answer = ada.ask(&query, json!({})).await;
        let error = &answer["errors"][0];
        assert_eq!(
            (&error["extensions"]["type"], &error["extensions"]["status"]),
            (&json!("/problems/bad-query"), &json!(400)),
            "{answer}"
        );
        assert!(error["message"].as_str().unwrap().contains(why), "{why}: {answer}");
        assert_eq!(answer["data"], Value::Null);
    }
    // Five are taken.
    let five = ada.ask(&mutations(5), json!({})).await;
    assert!(five["errors"][0]["extensions"]["type"] == "/problems/not-in-cart", "{five}");

    let long = json!({ "query": format!("{{ __typename }} # {}", "x".repeat(40_000)) });
    ada.send(Method::POST, PATH, &long).await.problem(413, "body-too-large");
    ada.send(Method::POST, PATH, &json!([{ "query": "{ __typename }" }])).await.problem(422, "invalid-body");
    ada.send(Method::POST, PATH, &json!({ "qurey": "{ __typename }" })).await.problem(422, "invalid-body");
    let text = server.request(Method::POST, PATH).body("{ __typename }");
    crate::api::server::Answer::of(text).await.problem(415, "unsupported-media-type");
    server.get(PATH).await.problem(405, "method-not-allowed");
}

/// What tools ask to learn a schema, as graphql-js sends it.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType } directives { name description locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef }
    isDeprecated deprecationReason } inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description
    isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_the_blueprints_and_is_told() {
    let Some(server) = shop().await else { return };
    let guest = Asker::guest(&server);
    let sdl = server.get("/api/v1/graphql/schema").await.text().to_owned();
    let told = guest.data(INTROSPECTION, json!({})).await["__schema"].clone();
    let fields = |of: &str| -> Vec<String> {
        let found = told["types"].as_array().unwrap().iter().find(|known| known["name"] == of).unwrap_or_else(|| panic!("no {of}"));
        found["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
    };
    for (of, names) in [
        ("Query", "me user product searchProducts cart order orders"),
        ("Mutation", "updateProfile addCartItem updateCartItem removeCartItem placeOrder"),
        ("Subscription", "onOrderStatusUpdate onCartUpdate"),
        ("User", "id firstName lastName email phoneNumber preferredCurrency addresses createdAt updatedAt orders"),
        ("Address", "id addressLine1 addressLine2 city stateProvince postalCode country addressType isDefault"),
        ("Product", "id sku name description category brand basePrice currency imageUrls availableStock isActive variants"),
        ("CartItem", "productId quantity name price imageUrl totalPrice"),
        ("Cart", "id userId items totalItems subtotal totalPrice lastAccessedAt"),
        (
            "Order",
            "id userId billingAddress shippingAddress items subtotal shipping tax discount total currency status createdAt updatedAt",
        ),
        ("OrderItem", "productId quantity name"),
    ] {
        let known = fields(of);
        for name in names.split(' ') {
            assert!(known.iter().any(|field| field == name), "{of} has no {name}");
            assert!(sdl.contains(name), "{name} is not in the schema's text");
        }
    }
    assert!(sdl.contains("onOrderStatusUpdate(orderId: ID!): Order!"), "{sdl}");
    assert!(sdl.contains("onCartUpdate: Cart\n"), "{sdl}");
}
