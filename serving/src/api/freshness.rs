//! How old the stores behind a response are, and waiting until they have reached a position ("read your own writes").

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chimera_connectors::Frontier;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::problem::{Problem, Result, kinds};
use super::state::{App, StoreStatus, WaitError};

pub const STORE: HeaderName = HeaderName::from_static("chimera-store");
pub const EPOCH: HeaderName = HeaderName::from_static("chimera-epoch");
pub const AGE_MS: HeaderName = HeaderName::from_static("chimera-age-ms");
pub const POSITION: HeaderName = HeaderName::from_static("chimera-position");
pub const AFTER: HeaderName = HeaderName::from_static("chimera-after");

const DEFAULT_WAIT: Duration = Duration::from_secs(2);
const MAX_WAIT_MS: u64 = 10_000;

/// The parameters that every read of a derived store takes.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AfterQuery {
    /// A position token, as a write returned it: answer only once the store includes that write. The header `chimera-after` does the same.
    #[param(example = "orders:24023128")]
    after: Option<String>,
    /// How long to wait for that position, in milliseconds, at most 10000; 2000 if not given.
    #[param(maximum = 10000)]
    wait_ms: Option<u64>,
}

/// The position that a read has to include, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct After {
    pub position: Option<Frontier>,
    pub wait: Duration,
}

impl After {
    /// By the header alone.
    pub(in crate::api) fn of_header(headers: &HeaderMap) -> Result<Self> {
        Self::read(AfterQuery { after: None, wait_ms: None }, headers)
    }

    pub(in crate::api) fn read(query: AfterQuery, headers: &HeaderMap) -> Result<Self> {
        let header = match headers.get(AFTER) {
            Some(value) => {
                Some(value.to_str().map_err(|_| Problem::new(&kinds::BAD_POSITION, "The header `chimera-after` is not ASCII text."))?)
            }
            None => None,
        };
        let token = query.after.as_deref().or(header).filter(|token| !token.is_empty());
        let position = token
            .map(str::parse)
            .transpose()
            .map_err(|error: chimera_connectors::frontier::ParseError| Problem::new(&kinds::BAD_POSITION, error.to_string()))?;
        let wait = match query.wait_ms {
            None => DEFAULT_WAIT,
            Some(ms) if ms <= MAX_WAIT_MS => Duration::from_millis(ms),
            Some(ms) => {
                return Err(Problem::new(
                    &kinds::BAD_PARAMETER,
                    format!("The query: `wait_ms` is {ms}; at most {MAX_WAIT_MS} can be waited."),
                ));
            }
        };
        Ok(Self { position, wait })
    }
}

/// How old the answer is.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Meta {
    /// The store behind the answer; the oldest one, if several are.
    #[schema(example = "search_index.products")]
    pub store: String,
    /// The last epoch in the store.
    pub epoch: u64,
    /// The answer includes everything committed until so many milliseconds ago.
    pub age_ms: u64,
    /// That moment, RFC 3339.
    pub as_of: String,
}

/// How far the store behind a response was when it was read, or a bit further.
#[derive(Clone, Debug)]
pub struct Freshness {
    pub meta: Meta,
    position: Frontier,
}

impl Freshness {
    fn of(status: StoreStatus) -> Self {
        let age_ms = status.age_ms;
        let as_of: DateTime<Utc> = Utc::now() - TimeDelta::milliseconds(i64::try_from(age_ms).unwrap_or(i64::MAX / 4));
        let as_of = as_of.to_rfc3339_opts(SecondsFormat::Millis, true);
        Self { meta: Meta { store: status.store, epoch: status.epoch, age_ms, as_of }, position: status.frontier }
    }

    /// The `chimera-*` headers.
    pub fn headers(&self) -> HeaderMap {
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("?"));
        HeaderMap::from_iter([
            (STORE, text(&self.meta.store)),
            (EPOCH, HeaderValue::from(self.meta.epoch)),
            (AGE_MS, HeaderValue::from(self.meta.age_ms)),
            (POSITION, text(&self.position.to_string())),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ])
    }

    /// `body` as JSON under the headers. The body carries `meta` itself, so that it is in the schema.
    pub fn respond<T: Serialize>(&self, body: &T) -> Response {
        (self.headers(), axum::Json(body)).into_response()
    }
}

impl App {
    /// Waits until each of `stores` has reached `after`, then says how old the oldest of them is. Call it before reading: the stores
    /// only get fresher.
    ///
    /// # Errors
    /// `store-behind` when the wait was in vain, `store-not-ready` for a store that no running pipeline fills.
    pub async fn fresh(&self, stores: &[&str], after: &After) -> Result<Freshness> {
        let until = tokio::time::Instant::now() + after.wait;
        let mut oldest: Option<StoreStatus> = None;
        for store in stores {
            let status = match &after.position {
                None => self.stores.store(store).ok_or(WaitError::UnknownStore),
                Some(position) => self.stores.wait_for(store, position, until.saturating_duration_since(tokio::time::Instant::now())).await,
            };
            let status = status.map_err(|error| wait_problem(error, store, after))?;
            if oldest.as_ref().is_none_or(|oldest| oldest.age_ms < status.age_ms) {
                oldest = Some(status);
            }
        }
        oldest.map(Freshness::of).ok_or_else(|| Problem::internal("a route asked for the freshness of no store"))
    }
}

fn wait_problem(error: WaitError, store: &str, after: &After) -> Problem {
    match error {
        WaitError::UnknownStore => {
            Problem::new(&kinds::STORE_NOT_READY, format!("No running pipeline fills `{store}`.")).with("store", store).retry_after(2)
        }
        WaitError::TimedOut(status) => {
            Problem::new(&kinds::STORE_BEHIND, format!("`{store}` did not reach that position within {} ms.", after.wait.as_millis()))
                .with("store", store)
                .with("position", status.frontier.to_string())
                .with("wanted", after.position.as_ref().map(ToString::to_string))
                .with("age_ms", status.age_ms)
                .retry_after(1)
        }
    }
}
