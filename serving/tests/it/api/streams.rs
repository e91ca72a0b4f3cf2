//! Live views, read and followed.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use chimera_connectors::Frontier;
use chimera_serving::api::Limits;
use futures::StreamExt;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::server::{Server, TOKEN, pretty};

async fn fill(server: &Server, epoch: u64, rows: &[(&str, i64)]) {
    let (countries, orders): (Vec<&str>, Vec<i64>) = rows.iter().copied().unzip();
    let batch = RecordBatch::try_from_iter([
        ("country", Arc::new(StringArray::from(countries)) as arrow::array::ArrayRef),
        ("orders", Arc::new(Int64Array::from(orders))),
    ]);
    server.fill(epoch, "view", "sales.by_country", 1, &[], batch.unwrap()).await;
    server.board.set("sales.by_country", Frontier::single("orders", epoch), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_listed_and_read() {
    let Some(server) = Server::start().await else { return };
    fill(&server, 1, &[("France", 3), ("Germany", 5), ("Austria", 1)]).await;
    assert_eq!(server.get_as_operator("/api/v1/views").await.ok()["views"][0]["view"], "sales.by_country");
    let mut body = server.get_as_operator("/api/v1/views/sales.by_country?order=desc&limit=2").await.ok();
    body["meta"] = body["meta"]["epoch"].take();
    insta::assert_snapshot!(pretty(&body), @r#"
    {
      "columns": [
        {
          "name": "country",
          "type": "Utf8"
        },
        {
          "name": "orders",
          "type": "Int64"
        }
      ],
      "meta": 1,
      "primary_key": [
        "country"
      ],
      "rows": [
        {
          "country": "Germany",
          "orders": 5
        },
        {
          "country": "France",
          "orders": 3
        }
      ],
      "view": "sales.by_country"
    }
    "#);
    server.get_as_operator("/api/v1/views/sales.none").await.problem(404, "view-not-found");
    server.get_as_operator("/api/v1/views/sales.none/stream").await.problem(404, "view-not-found");
    server.get_as_operator("/api/v1/views/sales.by_country?limit=10001").await.problem(400, "bad-parameter");
}

/// Events of a stream, as they come.
pub struct Events {
    bytes: std::pin::Pin<Box<dyn futures::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Events {
    async fn open(server: &Server, path: &str) -> Self {
        Self::of(server.request(Method::GET, path).bearer_auth(TOKEN)).await
    }

    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));
        Self { bytes: Box::pin(response.bytes_stream()), text: String::new() }
    }

    pub async fn next(&mut self) -> (String, Value) {
        self.next_or_end().await.expect("the stream goes on")
    }

    /// `None`: it has ended.
    pub async fn next_or_end(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.clone().split_once("\n\n") {
                self.text = rest.to_owned();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
                continue;
            }
            let bytes = tokio::time::timeout(Duration::from_secs(20), self.bytes.next()).await.expect("an event in time")?;
            self.text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_followed_from_a_snapshot() {
    let Some(server) = Server::start().await else { return };
    fill(&server, 1, &[("France", 3)]).await;
    let mut events = Events::open(&server, "/api/v1/views/sales.by_country/stream").await;
    let snapshot = json!({"epoch": 1, "rows": [{"country": "France", "orders": 3}], "truncated": false});
    assert_eq!(events.next().await, ("snapshot".to_owned(), snapshot));
    fill(&server, 2, &[("France", 4), ("Spain", 1)]).await;
    let (name, mut changes) = events.next().await;
    changes["upserts"].as_array_mut().unwrap().sort_by_key(|row| row["country"].to_string());
    let expected = json!({"epoch": 2, "committed_ms": 1_700_000_000_000_i64, "deletes": [],
        "upserts": [{"country": "France", "orders": 4}, {"country": "Spain", "orders": 1}]});
    assert_eq!((name.as_str(), changes), ("changes", expected));
    // The view is emptied and built anew: the stream starts again with a snapshot.
    fill(&server, 1, &[("Italy", 9)]).await;
    let mut last = events.next().await;
    while last.0 != "snapshot" || last.1["rows"] != json!([{"country": "Italy", "orders": 9}]) {
        last = events.next().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stores_are_told_and_followed() {
    let Some(server) = Server::start().await else { return };
    server.board.set("inventory.stock", Frontier::single("orders", 7), 12);
    let stores = server.get_as_operator("/api/v1/stores").await.ok();
    let stock = stores["stores"].as_array().unwrap().iter().find(|store| store["store"] == "inventory.stock").unwrap();
    assert_eq!((&stock["age_ms"], &stock["frontier"]), (&json!(12), &json!({"orders": 7})));
    let mut events = Events::open(&server, "/api/v1/stores/stream").await;
    for _ in 0..2 {
        let (name, body) = events.next().await;
        assert_eq!((name.as_str(), &body), ("stores", &stores));
    }
}

const LARGE: &str = "/api/v1/views/notes.large/stream";

/// Asks for a stream, and reads nothing of it: the system takes a little for it, and then no more.
async fn asked(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(server.base.strip_prefix("http://").unwrap().parse().unwrap()).await.unwrap();
    let request = format!("GET {LARGE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.readable().await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_loses_the_place_and_who_reads_slowly_does_not() {
    let limits = Limits { max_streams: 1, takes_within: Duration::from_secs(2), ..Limits::default() };
    let Some(server) = Server::start_with(limits, None).await else { return };
    // Far more than all buffers on the way hold.
    let (ids, texts): (Vec<i64>, Vec<String>) = (0..300).map(|id| (id, "x".repeat(100_000))).unzip();
    let rows = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from(ids)) as arrow::array::ArrayRef),
        ("text", Arc::new(StringArray::from(texts))),
    ]);
    server.fill(1, "view", "notes.large", 1, &[], rows.unwrap()).await;
    server.board.set("notes.large", Frontier::single("orders", 1), 0);
    let status = async || server.request(Method::GET, LARGE).bearer_auth(TOKEN).send().await.unwrap().status().as_u16();

    let mut slow = asked(&server).await;
    let (begun, mut buffer) = (Instant::now(), vec![0; 64 * 1024]);
    while begun.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(slow.read(&mut buffer).await.unwrap() > 0);
    }
    assert_eq!(status().await, 503, "it has the only place");
    drop(slow);

    let until = Instant::now() + Duration::from_secs(30);
    let silent = loop {
        // Until the place of the one before is free.
        let mut silent = asked(&server).await;
        let mut head = [0; 12];
        silent.read_exact(&mut head).await.unwrap();
        if &head == b"HTTP/1.1 200" {
            break silent;
        }
        assert!(Instant::now() < until, "{}", String::from_utf8_lossy(&head));
    };
    assert_eq!(status().await, 503, "it has the only place");
    while status().await != 200 {
        assert!(Instant::now() < until, "who reads nothing keeps the place");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(silent);
}
