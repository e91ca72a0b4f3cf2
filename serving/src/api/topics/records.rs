//! `GET /api/v1/topics/{topic}/records`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use chimera_connectors::log::Entry;
use serde::{Deserialize, Serialize};

use crate::api::extract::{Params, Path};
use crate::api::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// Most records that are given at once.
const LIMIT: u32 = 10_000;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecordsQuery {
    /// Offset of the first record; 0 if not given.
    from: Option<u64>,
    /// How many records, 0 to 10000; 100 if not given. With 0 the answer only says where the topic begins and ends.
    #[param(maximum = 10000)]
    limit: Option<u32>,
    /// 0 if not given.
    partition: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RecordsResponse {
    pub records: Vec<TopicRecord>,
    /// Where to go on.
    pub next_offset: u64,
    /// The oldest kept offset.
    pub start_offset: u64,
    /// The offset that the next record will get.
    pub end_offset: u64,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct TopicRecord {
    pub offset: u64,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A key that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_base64: Option<String>,
    /// Absent for a tombstone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A value that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_base64: Option<String>,
    /// By name; what is not UTF-8 in a value is shown as `\u{fffd}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

impl From<Entry> for TopicRecord {
    fn from(entry: Entry) -> Self {
        let (key, key_base64) = text_or_base64(entry.record.key);
        let (value, value_base64) = text_or_base64(entry.record.value);
        let headers = entry.record.headers.into_iter().map(|header| (header.name, String::from_utf8_lossy(&header.value).into_owned()));
        let (offset, timestamp_ms, headers) = (entry.offset, entry.record.timestamp_ms, headers.collect());
        Self { offset, timestamp_ms, key, key_base64, value, value_base64, headers }
    }
}

fn text_or_base64(bytes: Option<Bytes>) -> (Option<String>, Option<String>) {
    match bytes.map(|bytes| String::from_utf8(bytes.into())) {
        Some(Ok(text)) => (Some(text), None),
        Some(Err(error)) => (None, Some(BASE64_STANDARD.encode(error.as_bytes()))),
        None => (None, None),
    }
}

/// Records of a topic of the log.
#[utoipa::path(get, path = "/api/v1/topics/{topic}/records", tag = "operations",
    params(("topic" = String, Path, description = "such as `clickstream` or `orders.public.orders`"), RecordsQuery),
    responses((status = 200, body = RecordsResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn topic_records(
    State(app): State<App>,
    Path(topic): Path<String>,
    params: Params<RecordsQuery>,
) -> Result<axum::Json<RecordsResponse>> {
    let RecordsQuery { from, limit, partition } = params.query;
    let (from, limit, partition) = (limit::from(from)?, limit.unwrap_or(100), partition.unwrap_or(0));
    if limit > LIMIT {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`limit` is {limit}; the most is {LIMIT}.")));
    }
    let known = app.log.topics().await?.into_iter().find(|known| known.name == topic);
    if known.is_none_or(|known| partition >= known.partitions) {
        let name = topic.escape_debug().take(100).collect::<String>();
        return Err(Problem::new(&kinds::NOT_FOUND, format!("The log has no topic `{name}` with a partition {partition}.")));
    }
    let entries = match limit {
        0 => Vec::new(),
        limit => app.log.read(&topic, partition, from, limit as usize, Duration::ZERO).await?,
    };
    let (start_offset, end_offset) = (app.log.start_offset(&topic, partition).await?, app.log.end_offset(&topic, partition).await?);
    let next_offset = entries.last().map_or(from.max(start_offset), |entry| entry.offset + 1);
    Ok(axum::Json(RecordsResponse { records: entries.into_iter().map(TopicRecord::from).collect(), next_offset, start_offset, end_offset }))
}
