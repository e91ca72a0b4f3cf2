//! Pages of other places; what is compressed, and what is not.

use chimera_serving::api::{App, Origins, Parts};
use reqwest::Method;
use serde_json::json;

use super::server::{Answer, Server};

const FRIEND: &str = "https://friend.example";

/// The same server once more, for other origins. Its address.
async fn knowing(server: &Server, origins: &[&str]) -> String {
    let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let app = App::new(Parts { origins: Origins::new(&origins).unwrap(), ..server.parts() });
    server.serve_too(app).await
}

async fn preflight(server: &Server, base: &str, path: &str, origin: &str, method: &str) -> Answer {
    let asked = server.client.request(Method::OPTIONS, format!("{base}{path}")).header("origin", origin);
    let asked = asked.header("access-control-request-method", method);
    Answer::of(asked.header("access-control-request-headers", "authorization,content-type,idempotency-key,chimera-cart,if-match")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_are_served_if_they_are_known() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let base = knowing(&server, &[FRIEND, "http://127.0.0.1:5173"]).await;
    for (path, method) in
        [("/api/v1/cart/items", "POST"), ("/api/v1/catalog/brands/x", "PUT"), ("/api/v1/users/me", "DELETE"), ("/metrics", "GET")]
    {
        let known = preflight(&server, &base, path, FRIEND, method).await;
        assert_eq!((known.status, known.header("access-control-allow-origin")), (200, FRIEND), "{method} {path}");
        let list = |name: &str| known.header(name).to_ascii_lowercase();
        assert!(list("access-control-allow-methods").contains(&method.to_ascii_lowercase()));
        for name in ["authorization", "content-type", "idempotency-key", "chimera-cart", "if-match", "traceparent"] {
            assert!(list("access-control-allow-headers").contains(name), "{name}: {}", list("access-control-allow-headers"));
        }
        assert_eq!(known.header("access-control-allow-credentials"), "", "there are no cookies");
        for stranger in ["https://evil.example", "null", "https://friend.example.evil", "http://friend.example"] {
            let unknown = preflight(&server, &base, path, stranger, method).await;
            assert_eq!(unknown.header("access-control-allow-origin"), "", "{stranger}");
        }
    }
    // The request itself, also one that is refused: the page has to be able to read why.
    let send = async |base: &str, sku: &str, origin: &str| {
        let request = server.client.post(format!("{base}/api/v1/cart/items")).header("origin", origin);
        Answer::of(request.json(&json!({ "sku": sku, "quantity": 1 }))).await
    };
    for (sku, status) in [("MUG", 200), ("none", 422)] {
        let answer = send(&base, sku, FRIEND).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, FRIEND), "{}", answer.text());
        for name in ["chimera-position", "etag", "x-request-id", "retry-after", "idempotency-replayed"] {
            assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
        }
        let varies = answer.headers.get_all("vary").iter().any(|names| names.to_str().unwrap().contains("origin"));
        assert!(varies, "{:?}", answer.headers);
    }
    // By default nobody is known.
    let answer = send(&server.base, "MUG", FRIEND).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    assert_eq!(preflight(&server, &server.base, "/api/v1/cart/items", FRIEND, "POST").await.header("access-control-allow-origin"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_and_event_streams_are_not() {
    let Some(server) = Server::start().await else { return };
    server.product("MUG", 250, 10).await;
    let cart = server.post("/api/v1/cart/items", &json!({ "sku": "MUG", "quantity": 1 })).await.ok();
    let token = cart["guest_token"].as_str().unwrap();
    let get = async |path: &str| {
        let request = server.request(Method::GET, path).header("accept-encoding", "gzip").header("chimera-cart", token);
        request.send().await.unwrap()
    };
    let whole = get("/openapi.json").await;
    assert_eq!(whole.headers()["content-encoding"], "gzip");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*whole.bytes().await.unwrap()), &mut text).unwrap();
    assert_eq!(text, server.get("/openapi.json").await.text());
    let events = get("/api/v1/cart/events").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    assert!(events.headers().get("content-encoding").is_none());
}
