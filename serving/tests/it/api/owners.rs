//! What belongs to somebody, and everybody else: every route that names such a thing, with every role.

use chimera_serving::api::access::{Access, Role};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::routes;
use super::checkout::purchase;
use super::server::{Answer, PASSWORD, Server};

/// Routes that name something of somebody's: what is sent, and which roles may do it to what is another's.
const OWNED: &[(&str, &str, &str, &[Role])] = &[
    ("GET", "/api/v1/checkout/{id}", "", &[]),
    ("GET", "/api/v1/orders/{id}", "", &[Role::Merchandiser, Role::Service, Role::Admin]),
    ("GET", "/api/v1/orders/{id}/events", "", &[Role::Merchandiser, Role::Service, Role::Admin]),
    (
        "POST",
        "/api/v1/orders/{id}/returns",
        r#"{"reason":"broken","items":[{"line_no":1,"quantity":1}]}"#,
        &[Role::Merchandiser, Role::Service, Role::Admin],
    ),
    ("POST", "/api/v1/orders/{id}/cancel", "{}", &[Role::Merchandiser, Role::Service, Role::Admin]),
    ("GET", "/api/v1/users/{user_id}", "", &[Role::Admin]),
    ("PUT", "/api/v1/users/{user_id}", PROFILE, &[Role::Admin]),
    ("PUT", "/api/v1/users/me/addresses/{id}", ADDRESS, &[]),
    ("DELETE", "/api/v1/users/me/addresses/{id}", "", &[]),
    ("DELETE", "/api/v1/auth/api-keys/{key_id}", "", &[]),
    ("DELETE", "/api/v1/auth/sessions/{session_id}", "", &[]),
];

/// Of the routes that anybody or any account may call, those that name what belongs to nobody, or to whoever holds the cart's token.
const SHARED: &[&str] = &[
    "/api/v1/products/{id}",
    "/api/v1/products/{id}/related",
    "/api/v1/images/{id}",
    "/api/v1/inventory/{sku}",
    "/api/v1/cart/items/{sku}",
    "/problems/{name}",
    "/ofrep/v1/evaluate/flags/{key}",
];

const ADDRESS: &str = r#"{"address_type":"home","recipient":"Ada Lovelace","address_line_1":"12 St James's Square","city":"London",
    "postal_code":"SW1Y 4LE","country":"United Kingdom"}"#;

const PROFILE: &str = r#"{"first_name":"Ada","last_name":"Lovelace"}"#;

/// Somebody with one of everything.
struct Owner {
    token: String,
    /// By the first path under which it is found.
    things: Vec<(&'static str, String)>,
}

impl Owner {
    async fn new(server: &Server) -> Self {
        let account = server.account(Role::Shopper).await;
        let token = server.session(account, Role::Shopper).await;
        server.session(account, Role::Shopper).await;
        let send = async |method, path: &str, key: &str, body: Value| {
            let answer = Answer::of(server.request(method, path).bearer_auth(&token).header("idempotency-key", key).json(&body)).await;
            assert!((200..300).contains(&answer.status), "{path}: {}", answer.text());
            answer.json()
        };
        send(Method::PUT, "/api/v1/users/me", "p", serde_json::from_str(PROFILE).unwrap()).await;
        let address = send(Method::POST, "/api/v1/users/me/addresses", "a", serde_json::from_str(ADDRESS).unwrap()).await;
        let key = send(Method::POST, "/api/v1/auth/api-keys", "k", json!({ "name": "mine", "password": PASSWORD })).await;
        send(Method::POST, "/api/v1/cart/items", "c", json!({ "sku": "MUG", "quantity": 1 })).await;
        // On a busy machine it may not be done at once; the same again is the same purchase.
        let order = loop {
            let checkout = send(Method::POST, "/api/v1/checkout", "b", purchase("tok_visa")).await;
            if checkout["status"] == "completed" {
                break checkout["order"]["id"].clone();
            }
        };
        let session: Uuid = sqlx::query_scalar("SELECT session_id FROM sessions WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1")
            .bind(account)
            .fetch_one(&server.app.databases.auth)
            .await
            .unwrap();
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        // A purchase and its order have one id.
        let things = vec![
            ("/api/v1/checkout/", text(&order)),
            ("/api/v1/orders/", text(&order)),
            ("/api/v1/users/me/addresses/", text(&address["id"])),
            ("/api/v1/users/", account.to_string()),
            ("/api/v1/auth/api-keys/", text(&key["key_id"])),
            ("/api/v1/auth/sessions/", session.to_string()),
        ];
        Self { token, things }
    }

    /// The route's path with what is theirs in it.
    fn url(&self, path: &str) -> String {
        let (before, id) = self.things.iter().find(|(before, _)| path.starts_with(before)).expect("a thing for every route");
        let after = path.split_once('}').map_or("", |(_, after)| after);
        format!("{before}{id}{after}")
    }
}

/// Whether the caller was told that there is no such thing, or that it is not theirs.
async fn is_refused(server: &Server, method: &str, url: &str, body: &str, token: &str, key: &str) -> bool {
    let mut request = server.request(method.parse().unwrap(), url).header("idempotency-key", key);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    // The body is not read: a stream of events has no end.
    let status = request.send().await.unwrap().status().as_u16();
    assert!(status < 500, "{method} {url}: {status}");
    [401, 403, 404].contains(&status)
}

#[test]
fn every_route_that_names_something_is_of_somebody_or_of_nobody() {
    for (method, path) in routes().into_iter().filter(|(_, path)| path.contains('{')) {
        if !matches!(Access::of(&method, &path), Access::Only(_)) {
            let is_owned = OWNED.iter().any(|(m, p, ..)| *m == method.as_str() && *p == path);
            assert!(is_owned != SHARED.contains(&path.as_str()), "{method} {path}: in OWNED, or in SHARED?");
        }
    }
    for (method, path, ..) in OWNED {
        assert!(routes().iter().any(|(m, p)| m.as_str() == *method && p == path), "{method} {path} is no route");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_somebodys_is_theirs_alone() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 100).await;
    for role in Role::ALL {
        // What an allowed role does to it, it cannot do again: so everything anew for each.
        let owner = Owner::new(&server).await;
        let other = server.account(role).await;
        for (method, path, body, allowed) in OWNED {
            let url = owner.url(path);
            let token = server.session(other, role).await;
            assert!(is_refused(&server, method, &url, body, "", "guest").await, "{method} {path} as nobody");
            let refused = is_refused(&server, method, &url, body, &token, "other").await;
            assert_eq!(refused, !allowed.contains(&role), "{method} {path} of somebody else as {role:?}");
        }
    }
    // And theirs it is: the refusals above were for whose it is.
    let owner = Owner::new(&server).await;
    for (method, path, body, _) in OWNED {
        assert!(!is_refused(&server, method, &owner.url(path), body, &owner.token, "owner").await, "{method} {path} of one's own");
    }
}
