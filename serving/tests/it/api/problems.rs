//! Errors that are not of one route.

use std::time::Duration;

use chimera_serving::api::Limits;
use chimera_serving::api::problem::kinds;
use reqwest::Method;
use serde_json::json;

use super::server::{Answer, Server, TOKEN, pretty};

#[tokio::test(flavor = "multi_thread")]
async fn unknown_addresses_and_methods_are_problems() {
    let Some(server) = Server::start().await else { return };
    insta::assert_snapshot!(pretty(&server.get("/api/v1/nothing").await.problem(404, "not-found")), @r#"
    {
      "detail": "There is nothing at `/api/v1/nothing`.",
      "status": 404,
      "title": "There is nothing at this address",
      "type": "/problems/not-found"
    }
    "#);
    server.get("/nothing.js").await.problem(404, "not-found");
    let answer = Answer::of(server.request(Method::DELETE, "/api/v1/orders")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "POST,GET,HEAD");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_problem_has_a_page() {
    let Some(server) = Server::start().await else { return };
    for kind in kinds::ALL {
        let page = server.get(&kind.url()).await;
        assert_eq!(page.status, 200, "{}", kind.name);
        assert!(page.text().contains(&kind.title.replace('&', "&amp;")), "{}", kind.name);
    }
    server.get("/problems/none").await.problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_json_is_told_by_line_and_column() {
    let Some(server) = Server::start().await else { return };
    let send = |content_type: &'static str, body: &'static str| {
        Answer::of(server.request(Method::POST, "/api/v1/events").header("content-type", content_type).body(body))
    };
    insta::assert_snapshot!(pretty(&send("application/json", "{\"events\": [\n  {\"type\": view}]}").await.problem(400, "malformed-json")), @r#"
    {
      "column": 12,
      "detail": "expected value.",
      "line": 2,
      "path": "events[0].type",
      "status": 400,
      "title": "The body is not JSON",
      "type": "/problems/malformed-json"
    }
    "#);
    send("application/json", "").await.problem(400, "malformed-json");
    send("application/json", "[1]").await.problem(422, "invalid-body");
    let problem = send("application/json", " [[]]").await.problem(422, "invalid-body");
    assert_eq!(problem["detail"], "The body is a list; this address takes an object.");
    let problem = send("text/plain", "{}").await.problem(415, "unsupported-media-type");
    assert_eq!(problem["accepted"][0], "application/json");
    let deep = Box::leak("[".repeat(100_000).into_boxed_str());
    send("application/json", deep).await.problem(400, "malformed-json");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_are_told() {
    let Some(server) = Server::start().await else { return };
    for (path, said) in [
        ("/api/v1/search?limt=3", "unknown field `limt`"),
        ("/api/v1/search?limit=0", "`limit` is 0; it goes from 1 to 100"),
        ("/api/v1/search?limit=many", "limit: invalid digit"),
        ("/api/v1/search?min_price=-1", "min_price: invalid digit"),
        ("/api/v1/search?min_price=2147483648", "`min_price` is 2147483648; it goes to 2147483647"),
        ("/api/v1/search?max_price=2147483648", "`max_price` is 2147483648; it goes to 2147483647"),
        ("/api/v1/search?min_price=5&max_price=4", "`min_price` (5) is over `max_price` (4)"),
        ("/api/v1/search?sort=colour", "unknown variant `colour`"),
        ("/api/v1/search?offset=10001", "`offset` is 10001"),
        ("/api/v1/feed?session_id=%00", "control characters"),
        ("/api/v1/products/7", "UUID"),
    ] {
        let problem = server.get(path).await.problem(400, "bad-parameter");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{path}: {}", problem["detail"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_past_those_of_the_document_are_refused() {
    let Some(server) = Server::start().await else { return };
    let (last, past) = (i64::MAX as u64, i64::MAX as u64 + 1);
    assert_eq!(server.get_as_operator(&format!("/api/v1/dlq?from={last}")).await.ok()["letters"], json!([]));
    server.get_as_operator(&format!("/api/v1/dlq?from={past}")).await.problem(400, "bad-parameter");
    server.get_as_operator(&format!("/api/v1/topics/none/records?from={past}")).await.problem(400, "bad-parameter");
    let replay = async |letter: u64| server.send(Method::POST, "/api/v1/dlq/replay", TOKEN, Some(&json!({ "letters": [letter] }))).await;
    assert_eq!(replay(last).await.status, 200);
    assert_eq!(replay(past).await.problem(422, "invalid-body")["errors"][0]["path"], "letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_have_ids_and_a_clients_own_is_kept_if_it_is_plain() {
    let Some(server) = Server::start().await else { return };
    let with = |id: &'static str| Answer::of(server.request(Method::GET, "/healthz").header("x-request-id", id));
    assert_eq!(with("abc-1").await.header("x-request-id"), "abc-1");
    for odd in ["a b", "", "<script>"] {
        let given = with(odd).await.header("x-request-id").to_owned();
        assert!(given.parse::<uuid::Uuid>().is_ok(), "{odd} became {given}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_and_streams_are_turned_away() {
    let limits = Limits { max_concurrent_requests: 1, max_streams: 1, ..Limits::default() };
    let Some(server) = Server::start_with(limits, None).await else { return };
    let waiting = server.request(Method::GET, "/api/v1/inventory/A?after=orders:5&wait_ms=2000").send();
    let waiting = tokio::spawn(waiting);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let answer = server.get("/api/v1/search").await;
    answer.problem(503, "overloaded");
    assert_eq!(answer.header("retry-after"), "1");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get_as_operator(path).await.status, 200, "{path} is asked of a server that is busy");
    }
    assert_eq!(waiting.await.unwrap().unwrap().status(), 504);
    let open = server.request(Method::GET, "/api/v1/stores/stream").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(open.status(), 200);
    server.get_as_operator("/api/v1/stores/stream").await.problem(503, "overloaded");
    drop(open);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let again = server.request(Method::GET, "/api/v1/stores/stream").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(again.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_given_up() {
    let limits = Limits { request_timeout: Duration::from_millis(100), ..Limits::default() };
    let Some(server) = Server::start_with(limits, None).await else { return };
    server.get("/api/v1/inventory/A?after=orders:5").await.problem(504, "timed-out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_says_so_and_recovers() {
    let Some(server) = Server::start().await else { return };
    let ready = server.get("/readyz").await;
    assert_eq!(ready.ok()["status"], "ok");
    server.app.databases.catalog.close().await;
    let answer = server.get("/api/v1/images/00000000-0000-0000-0000-000000000000").await;
    let problem = answer.problem(503, "unavailable");
    assert!(!problem.to_string().contains("pool"), "the cause is not for clients: {problem}");
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_ends_its_streams() {
    let Some(server) = Server::start().await else { return };
    let mut stream = server.request(Method::GET, "/api/v1/stores/stream").bearer_auth(TOKEN).send().await.unwrap();
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: stores\n"));
    let start = std::time::Instant::now();
    server.stop().await;
    while stream.chunk().await.expect("the stream ends in good order").is_some() {}
    assert!(start.elapsed() < Duration::from_secs(4), "it did not wait for the stream");
}
