//! A script that reads server-sent events over HTTP.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chimera_pipelines::script::{self, Options};
use chimera_sql::Functions;
use serde_json::{Value, json};

const EVENTS: u64 = 95;

/// What the server has seen.
#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    last_ids: Mutex<Vec<String>>,
}

/// Some thirty events a connection, which then ends in the middle of one; after the last one there are no more.
async fn events(State(seen): State<Arc<Seen>>, headers: HeaderMap) -> Response {
    if headers.get("x-key").is_none_or(|key| key != "secret") {
        return StatusCode::FORBIDDEN.into_response();
    }
    // One request fails: it is made again.
    if seen.requests.fetch_add(1, Ordering::Relaxed) == 1 {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
    let from = last.as_ref().map_or(0, |id| id.parse::<u64>().unwrap() + 1);
    seen.last_ids.lock().unwrap().extend(last);
    if from >= EVENTS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let mut text = "retry: 10\n: a comment\n\n".to_owned();
    for n in from..EVENTS.min(from + 30) {
        let name = if n % 5 == 0 { "other" } else { "sale" };
        text += &format!("id: {n}\nevent: {name}\ndata: {{\"n\": {n},\ndata:  \"shop\": \"s{}\"}}\n\n", n % 3);
    }
    text += "event: sale\ndata: {\"n\": 1000, \"shop\": \"cut\"}";
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], text).into_response()
}

fn run(sql: &str) -> Result<script::Summary, String> {
    let program = script::parse(sql, &Functions::new()).map_err(|error| error.to_string())?;
    let options = Options { workers: 1, preview: Box::new(|_, _, _| Ok(())), stop: Arc::new(AtomicBool::new(false)), late: None };
    script::run(&program, options).map_err(|error| error.to_string())
}

#[test]
fn events_come_once_though_connections_end() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seen = Arc::new(Seen::default());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let page = |State(_): State<Arc<Seen>>| async { ([(header::CONTENT_TYPE, "text/html")], "no events") };
    let router = Router::new().route("/events", get(events)).route("/page", get(page)).with_state(seen.clone());
    runtime.spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sales.json");
    let script = |options: &str| {
        format!(
            "CREATE TABLE sales (n BIGINT, shop TEXT, id TEXT METADATA FROM 'key')
                 WITH (connector = 'sse', format = 'json', {options}, type = 'source');
             CREATE TABLE out (n BIGINT, shop TEXT, id TEXT) WITH (connector = 'single_file', format = 'json', path = '{}');
             INSERT INTO out SELECT n, shop, id FROM sales;",
            path.display()
        )
    };
    let summary = run(&script(&format!("endpoint = 'http://{address}/events', headers = 'X-Key: secret', events = 'sale'"))).unwrap();
    assert!(summary.ended);
    let text = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sales = (0..EVENTS).filter(|n| n % 5 != 0);
    let expected: Vec<Value> = sales.map(|n| json!({"n": n, "shop": format!("s{}", n % 3), "id": n.to_string()})).collect();
    assert_eq!(rows, expected);
    assert_eq!(*seen.last_ids.lock().unwrap(), ["29", "59", "89", "94"]);

    for (options, message) in [
        (format!("endpoint = 'http://{address}/events'"), "403"),
        (format!("endpoint = 'http://{address}/page'"), "text/event-stream"),
        (format!("endpoint = 'http://{address}/nothing'"), "404"),
        ("endpoint = 'ftp://a'".to_owned(), "http://"),
        (format!("endpoint = 'http://{address}/events', event = 'a'"), "unknown option 'event'"),
    ] {
        let error = run(&script(&options)).unwrap_err();
        assert!(error.contains(message), "{options}: {error}");
    }
}
