//! Profiles and addresses; everybody's own.

use std::collections::HashSet;
use std::time::Duration;

use chimera_serving::api::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::checkout::flow::wait_until_done;
use super::checkout::{Shopper, count};
use super::server::{Answer, PASSWORD, Server, TOKEN};

async fn register(server: &Server, email: &str) -> String {
    let answer = server.post("/api/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn address(address_type: &str, city: &str, is_default: bool) -> Value {
    json!({ "address_type": address_type, "recipient": "Ada Lovelace", "address_line_1": "12 St James's Square", "city": city,
        "postal_code": "SW1Y 4LE", "country": "United Kingdom", "is_default": is_default })
}

async fn addresses(server: &Server, token: &str) -> Vec<(String, String, bool)> {
    let listed = server.send(Method::GET, "/api/v1/users/me/addresses", token, None).await.ok();
    let text = |address: &Value, name: &str| address[name].as_str().unwrap().to_owned();
    let listed = listed["addresses"].as_array().unwrap().iter();
    listed.map(|address| (text(address, "address_type"), text(address, "city"), address["is_default"].as_bool().unwrap())).collect()
}

fn of(found: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    found.iter().map(|(kind, city, is_default)| ((*kind).to_owned(), (*city).to_owned(), *is_default)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_filled_in_and_replaced() {
    let Some(server) = Server::start().await else { return };
    let token = register(&server, "ada@example.com").await;
    let me = async |method, body: Option<Value>| server.send(method, "/api/v1/users/me", &token, body.as_ref()).await;
    me(Method::GET, None).await.problem(404, "profile-not-found");
    let whole = json!({ "first_name": " Ada ", "last_name": "Lovelace", "phone_number": "+44 20 7946 0000", "preferred_currency": "GBP",
        "marketing_opt_in": true });
    assert_eq!(me(Method::PUT, Some(whole)).await.ok()["first_name"], "Ada");
    let less = me(Method::PUT, Some(json!({ "first_name": "Ada", "last_name": "King" }))).await.ok();
    assert_eq!(
        [&less["last_name"], &less["phone_number"], &less["preferred_currency"], &less["marketing_opt_in"]],
        [&json!("King"), &Value::Null, &json!("USD"), &json!(false)]
    );
    assert_eq!(me(Method::GET, None).await.ok(), less);
    let wrong = json!({ "first_name": "", "last_name": "x".repeat(101), "phone_number": "call me", "preferred_currency": "usd" });
    let problem = me(Method::PUT, Some(wrong)).await.problem(422, "invalid-body");
    let paths: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|error| error["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["first_name", "last_name", "phone_number", "preferred_currency"]);
    server.send(Method::GET, "/api/v1/users/me", TOKEN, None).await.problem(403, "no-account");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_and_replace_profiles_of_others_and_nobody_else_does() {
    let Some(server) = Server::start().await else { return };
    let ada = server.account(Role::Shopper).await;
    let own = server.session(ada, Role::Shopper).await;
    let stranger = server.session(server.account(Role::Shopper).await, Role::Shopper).await;
    let admin = server.session(server.account(Role::Admin).await, Role::Admin).await;
    let (own, stranger, admin) = (own.as_str(), stranger.as_str(), admin.as_str());
    let path = format!("/api/v1/users/{ada}");
    let get = async |token: &str| server.send(Method::GET, &path, token, None).await;
    let put = async |token: &str, last_name: &str| {
        let profile = json!({ "first_name": "Ada", "last_name": last_name });
        server.send(Method::PUT, &path, token, Some(&profile)).await
    };
    for token in [own, admin, TOKEN] {
        get(token).await.problem(404, "profile-not-found");
    }
    assert_eq!(put(own, "Lovelace").await.ok()["user_id"], json!(ada));
    assert_eq!(put(admin, "King").await.ok()["last_name"], "King");
    let now = server.send(Method::GET, "/api/v1/users/me", own, None).await.ok();
    assert_eq!(now["last_name"], "King");
    for token in [own, admin, TOKEN] {
        assert_eq!(get(token).await.ok(), now);
    }
    // Somebody else's is as one that is not there.
    get(stranger).await.problem(404, "account-not-found");
    put(stranger, "Byron").await.problem(404, "account-not-found");
    let nobody = format!("/api/v1/users/{}", Uuid::now_v7());
    for token in [stranger, admin] {
        server.send(Method::GET, &nobody, token, None).await.problem(404, "account-not-found");
        server
            .send(Method::PUT, &nobody, token, Some(&json!({ "first_name": "A", "last_name": "B" })))
            .await
            .problem(404, "account-not-found");
    }
    assert_eq!(count(&server.app.databases.users, "SELECT count(*) FROM users").await, 1);
    assert_eq!(get(own).await.ok(), now);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_has_one_default_address_whatever_is_done() {
    let Some(server) = Server::start().await else { return };
    let token = register(&server, "ada@example.com").await;
    let add = async |body: Value| -> String {
        let answer = server.send(Method::POST, "/api/v1/users/me/addresses", &token, Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), format!("/api/v1/users/me/addresses/{id}"));
        id
    };
    let at = |id: &str| format!("/api/v1/users/me/addresses/{id}");
    let london = add(address("shipping", "London", false)).await;
    let paris = add(address("shipping", "Paris", false)).await;
    add(address("billing", "Rome", false)).await;
    assert_eq!(
        addresses(&server, &token).await,
        of(&[("billing", "Rome", true), ("shipping", "London", true), ("shipping", "Paris", false)])
    );
    let answer = server.send(Method::PUT, &at(&paris), &token, Some(&address("shipping", "Paris", true))).await.ok();
    assert_eq!((&answer["is_default"], &answer["id"]), (&json!(true), &json!(paris)));
    assert_eq!(
        addresses(&server, &token).await,
        of(&[("billing", "Rome", true), ("shipping", "Paris", true), ("shipping", "London", false)])
    );
    // Being the default is not given up by saying nothing, but by changing sides.
    server.send(Method::PUT, &at(&paris), &token, Some(&address("shipping", "Lyon", false))).await.ok();
    assert_eq!(
        addresses(&server, &token).await,
        of(&[("billing", "Rome", true), ("shipping", "Lyon", true), ("shipping", "London", false)])
    );
    server.send(Method::PUT, &at(&paris), &token, Some(&address("billing", "Lyon", false))).await.ok();
    assert_eq!(
        addresses(&server, &token).await,
        of(&[("billing", "Rome", true), ("billing", "Lyon", false), ("shipping", "London", true)])
    );
    add(address("shipping", "Oslo", true)).await;
    let bern = add(address("shipping", "Bern", true)).await;
    assert_eq!(server.send(Method::DELETE, &at(&bern), &token, None).await.status, 204);
    let shipping: Vec<_> = addresses(&server, &token).await.into_iter().filter(|(kind, ..)| kind == "shipping").collect();
    assert_eq!(shipping, of(&[("shipping", "Oslo", true), ("shipping", "London", false)]));
    server.send(Method::DELETE, &at(&bern), &token, None).await.problem(404, "address-not-found");
    // Many at once: one default in the end, and none lost.
    let adding = (0..10).map(|_| add(address("home", "Bath", true)));
    futures::future::join_all(adding).await;
    let home: Vec<_> = addresses(&server, &token).await.into_iter().filter(|(kind, ..)| kind == "home").collect();
    assert_eq!((home.len(), home.iter().filter(|(.., is_default)| *is_default).count()), (10, 1));
    let other = register(&server, "bob@example.com").await;
    assert_eq!(addresses(&server, &other).await, []);
    server.send(Method::PUT, &at(&london), &other, Some(&address("shipping", "X", true))).await.problem(404, "address-not-found");
    server.send(Method::DELETE, &at(&london), &other, None).await.problem(404, "address-not-found");
    let mut bad = address("castle", "London", false);
    server.send(Method::POST, "/api/v1/users/me/addresses", &token, Some(&bad)).await.problem(422, "invalid-body");
    bad = address("home", " ", false);
    bad["country"] = json!("x\u{0}");
    let problem = server.send(Method::POST, "/api/v1/users/me/addresses", &token, Some(&bad)).await.problem(422, "invalid-body");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_handed_out_and_removed() {
    let Some(server) = Server::start().await else { return };
    let token = register(&server, "ada@example.com").await;
    server.send(Method::PUT, "/api/v1/users/me", &token, Some(&json!({ "first_name": "Ada", "last_name": "Lovelace" }))).await.ok();
    server.send(Method::POST, "/api/v1/users/me/addresses", &token, Some(&address("home", "London", false))).await;
    let key =
        server.send(Method::POST, "/api/v1/auth/api-keys", &token, Some(&json!({ "name": "mine", "password": PASSWORD }))).await.json();
    server.product("MUG", 250, 10).await;
    let mut ada = Shopper::of(&server, token.clone());
    let mut ids = Vec::new();
    for key in ["a", "b"] {
        ada.put_in("MUG", 1).await;
        ids.push(ada.bought(key, "tok_visa").await.json()["order"]["id"].clone());
        wait_until_done(&server).await;
    }
    let answer = server.send(Method::GET, "/api/v1/users/me/export", &token, None).await;
    assert!(answer.header("content-disposition").contains("my-data.json"));
    assert!(!answer.text().contains("argon2") && !answer.text().contains(key["key"].as_str().unwrap()), "secrets are not handed out");
    let export = answer.ok();
    assert_eq!((&export["account"]["email"], &export["profile"]["last_name"]), (&json!("ada@example.com"), &json!("Lovelace")));
    assert_eq!((&export["addresses"][0]["city"], &export["api_keys"][0]["name"]), (&json!("London"), &json!("mine")));
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(export["letters"], json!([]), "this server sends none");
    let orders = export["orders"].as_array().unwrap();
    assert_eq!(orders.iter().map(|order| &order["id"]).collect::<Vec<_>>(), [&ids[1], &ids[0]]);
    assert_eq!((&orders[0]["items"][0]["sku"], &orders[0]["shipping_address"]["city"]), (&json!("MUG"), &json!("London")));
    assert_eq!((&orders[0]["email"], &orders[0]["history"][0]["status"]), (&json!("ada@example.com"), &json!("placed")));
    // More than are read at once.
    let more = "INSERT INTO orders (number, customer_id, country, placed_at)
        SELECT 'X-' || n, $1, 'United Kingdom', now() FROM generate_series(1, 100) n";
    sqlx::query(more).bind(export["account"]["user_id"].as_str()).execute(&server.app.databases.orders).await.unwrap();
    let export = server.send(Method::GET, "/api/v1/users/me/export", &token, None).await.ok();
    let exported: HashSet<&str> = export["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!((export["orders"].as_array().unwrap().len(), exported.len()), (102, 102));
    // One of them is over, the other on its way.
    let cancel = format!("/api/v1/orders/{}/cancel", ids[0].as_str().unwrap());
    ada.send(Method::POST, &cancel, None, Some(&json!({}))).await.ok();
    while count(&server.app.databases.orders, "SELECT count(*) FROM refunds WHERE done_at IS NULL").await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let erase = async |password: &str| -> Answer {
        server.send(Method::DELETE, "/api/v1/users/me", &token, Some(&json!({ "password": password }))).await
    };
    erase("something else").await.problem(401, "wrong-credentials");
    assert_eq!(erase(PASSWORD).await.status, 204);
    server.send(Method::GET, "/api/v1/auth/me", &token, None).await.problem(401, "unauthenticated");
    server.send(Method::GET, "/api/v1/auth/me", key["key"].as_str().unwrap(), None).await.problem(401, "unauthenticated");
    let left = async |pool: &sqlx::PgPool, tables: &[&str]| {
        let mut found = 0;
        for table in tables {
            let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            found += sqlx::query_scalar::<_, i64>(statement).fetch_one(pool).await.unwrap();
        }
        found
    };
    let of_accounts =
        ["credentials", "sessions", "refresh_tokens", "one_time_tokens", "api_keys", "outbox", "login_attempts", "recovery_codes"];
    assert_eq!(left(&server.app.auth.pool, &of_accounts).await, 0);
    assert_eq!(left(&server.app.databases.users, &["users", "user_addresses"]).await, 0);
    let email = async |id: &Value| -> Option<String> {
        let id: Uuid = id.as_str().unwrap().parse().unwrap();
        let email = sqlx::query_scalar("SELECT email FROM order_contacts WHERE order_id = $1").bind(id);
        email.fetch_one(&server.app.databases.orders).await.unwrap()
    };
    assert_eq!((email(&ids[0]).await, email(&ids[1]).await.as_deref()), (None, Some("ada@example.com")));
    register(&server, "ada@example.com").await;
}
