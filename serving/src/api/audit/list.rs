//! `GET /api/v1/audit`.

use std::fmt;
use std::str::FromStr;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::extract::{Query, text_error};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;
use crate::audit;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only changes of this table, such as `catalog.public.products`.
    topic: Option<String>,
    /// Only changes of the row with this key, and of rows whose keys begin with it: an order's id finds its lines.
    #[param(max_length = 200)]
    row: Option<String>,
    /// Only changes of this transaction.
    #[param(max_length = 100)]
    transaction: Option<String>,
    /// Only changes committed at this time or later.
    since: Option<DateTime<Utc>>,
    /// Only changes committed before this time.
    until: Option<DateTime<Utc>>,
    /// The `next` of the page before.
    before: Option<String>,
    /// 1 to 200; 50 if not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditTrail {
    /// The newest first.
    pub changes: Vec<AuditChange>,
    /// For `before`; `null`: there are no more.
    pub next: Option<String>,
}

/// A change of a row, as it was committed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditChange {
    /// The table.
    #[schema(example = "catalog.public.products")]
    pub topic: String,
    /// Its place in the log of the table's changes.
    pub offset: i64,
    /// `c` created, `u` updated, `d` deleted, `r` there already when capture began.
    pub op: Option<String>,
    /// What tells the row from the others of its table.
    pub row: Option<String>,
    /// The same for all changes that were committed together.
    pub transaction_id: Option<String>,
    pub committed_at: Option<DateTime<Utc>>,
    /// The row as it was; `null`: there was none. Of accounts and people only the key is known.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Box<RawValue>>,
    /// The row as it is then; `null`: it was deleted.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Box<RawValue>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    topic: String,
    offset: i64,
    op: Option<String>,
    row_key: Option<String>,
    transaction_id: Option<String>,
    committed_ms: Option<i64>,
    before: Option<String>,
    after: Option<String>,
}

/// Where a page ended: time, table, place.
struct Cursor(i64, String, i64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0, self.1, self.2)
    }
}

impl FromStr for Cursor {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, ':');
        let cursor = (|| {
            let (ms, topic, offset) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?);
            text_error(topic, 100).is_none().then(|| Self(ms, topic.to_owned(), offset))
        })();
        cursor.ok_or_else(|| Problem::new(&kinds::BAD_PARAMETER, "The query: `before` is not the `next` of a page."))
    }
}

/// `0` is the character after `/`.
const PAGE: &str = "
    SELECT topic, \"offset\", op, row_key, transaction_id, committed_ms, before, after FROM audit
    WHERE ($1::text IS NULL OR topic = $1)
      AND ($2::text IS NULL OR row_key COLLATE \"C\" = $2 OR row_key COLLATE \"C\" >= $2 || '/' AND row_key COLLATE \"C\" < $2 || '0')
      AND ($3::text IS NULL OR transaction_id = $3)
      AND ($4::bigint IS NULL OR committed_ms >= $4) AND ($5::bigint IS NULL OR committed_ms < $5)
      AND ($6::bigint IS NULL OR (committed_ms, topic, \"offset\") < ($6, $7, $8))
    ORDER BY committed_ms DESC, topic DESC, \"offset\" DESC LIMIT $9";

/// Every change of the shop's tables, newest first, as it was committed. `chimera audit verify` shows that none was touched since.
#[utoipa::path(get, path = "/api/v1/audit", tag = "operations", params(AuditQuery),
    responses((status = 200, body = AuditTrail), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub async fn list_audit(State(app): State<App>, Query(query): Query<AuditQuery>) -> Result<Response> {
    let limit = limit(query.limit, 50, 200)?;
    check(&app, &query)?;
    let before: Option<Cursor> = query.before.as_deref().map(str::parse).transpose()?;
    let mut rows: Vec<Row> = sqlx::query_as(PAGE)
        .bind(&query.topic)
        .bind(&query.row)
        .bind(&query.transaction)
        .bind(query.since.map(|time| time.timestamp_millis()))
        .bind(query.until.map(|time| time.timestamp_millis()))
        .bind(before.as_ref().map(|cursor| cursor.0))
        .bind(before.as_ref().map(|cursor| &cursor.1))
        .bind(before.as_ref().map(|cursor| cursor.2))
        .bind(limit as i64 + 1)
        .fetch_all(&app.databases.reporting)
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next =
        rows.last().filter(|_| more).map(|row| Cursor(row.committed_ms.unwrap_or_default(), row.topic.clone(), row.offset).to_string());
    let trail = AuditTrail { changes: rows.into_iter().map(AuditChange::from).collect(), next };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(trail)).into_response())
}

fn check(app: &App, query: &AuditQuery) -> Result<()> {
    for (name, value, most) in [("row", &query.row, 200), ("transaction", &query.transaction, 100)] {
        if let Some(fault) = value.as_deref().and_then(|value| text_error(value, most)) {
            return Err(Problem::new(&kinds::BAD_PARAMETER, format!("The query: `{name}`: {fault}.")));
        }
    }
    match &query.topic {
        Some(topic) => {
            let known = audit::topics(&app.databases.shards);
            let wrong = || Problem::new(&kinds::BAD_PARAMETER, format!("The query: `topic` is none of {}.", known.join(", ")));
            if known.contains(topic) { Ok(()) } else { Err(wrong()) }
        }
        None => Ok(()),
    }
}

impl From<Row> for AuditChange {
    fn from(row: Row) -> Self {
        // The pipeline wrote JSON; what somebody made of it since is for `chimera audit verify` to tell.
        let image = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        Self {
            topic: row.topic,
            offset: row.offset,
            op: row.op,
            row: row.row_key,
            transaction_id: row.transaction_id,
            committed_at: row.committed_ms.and_then(DateTime::from_timestamp_millis),
            before: image(row.before),
            after: image(row.after),
        }
    }
}
