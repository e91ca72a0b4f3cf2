//! Topics: their records as they are.

use bytes::Bytes;
use chimera_connectors::log::{Append, Header, Log, Record};
use serde_json::json;

use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn records_are_shown_with_key_value_and_headers_whatever_they_hold() {
    let Some(server) = Server::start().await else { return };
    let log: &dyn Log = &*server.app.log;
    let mut headed = Record::new(Some(Bytes::from("k")), Some(Bytes::from("text")), 1_700_000_000_000);
    headed.headers = vec![Header { name: "from".to_owned(), value: Bytes::from("a/0/7") }];
    let records = [headed, Record::new(Some(Bytes::from_static(b"\xff")), None, 1_700_000_000_001)];
    log.append(records.map(|record| Append { topic: "shown".to_owned(), partition: Some(0), record }).into()).await.unwrap();
    let expected = json!({
        "records": [
            {"offset": 0, "timestamp_ms": 1_700_000_000_000_i64, "key": "k", "value": "text", "headers": {"from": "a/0/7"}},
            {"offset": 1, "timestamp_ms": 1_700_000_000_001_i64, "key_base64": "/w=="},
        ],
        "next_offset": 2, "start_offset": 0, "end_offset": 2,
    });
    assert_eq!(server.get_as_operator("/api/v1/topics/shown/records").await.ok(), expected);
    server.get_as_operator("/api/v1/topics/hidden/records").await.problem(404, "not-found");
}
