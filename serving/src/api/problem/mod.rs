//! Errors as RFC 9457 problem documents. Every error that a client can see is made here.

mod conversions;
pub mod kinds;
pub mod page;

pub(in crate::api) use conversions::{body_problem, too_large};
pub use kinds::{ALL, Kind};

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What went wrong, for the client; and, for errors of ours, the cause for the log.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    extensions: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Goes to the log, never to the client.
    cause: Option<String>,
}

/// The body of a problem document; extension members stand beside these.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// Names the kind of problem; the page there explains it.
    #[serde(rename = "type")]
    #[schema(example = "/problems/out-of-stock")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// What was wrong with this request.
    pub detail: String,
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties = true)]
    pub extensions: Map<String, Value>,
}

pub type Result<T, E = Problem> = std::result::Result<T, E>;

impl Problem {
    pub fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), extensions: Map::new(), headers: Vec::new(), cause: None }
    }

    /// An error that the client can do nothing about. The cause is logged under the request's id; the client is told that id only.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut problem =
            Self::new(&kinds::INTERNAL, "The server failed to answer. The failure is in its log under this request's `x-request-id`.");
        problem.cause = Some(cause.to_string());
        problem
    }

    /// A store or a database cannot be reached for now.
    pub fn unavailable(what: &str, cause: impl std::fmt::Display) -> Self {
        let mut problem =
            Self::new(&kinds::UNAVAILABLE, format!("{what} cannot be reached just now. Try again in a moment.")).retry_after(1);
        problem.cause = Some(cause.to_string());
        problem
    }

    /// Adds an extension member.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.extensions.insert(name.to_owned(), value);
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Tells the client after how many seconds trying again makes sense.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// To be kept, and told again by [`Problem::from_saved`]; without its headers.
    pub fn saved(&self) -> Value {
        json!({ "kind": self.kind.name, "detail": self.detail, "extensions": self.extensions })
    }

    pub fn from_saved(saved: &Value) -> Self {
        let name = saved["kind"].as_str().unwrap_or_default();
        let Some(kind) = ALL.iter().find(|kind| kind.name == name) else {
            return Self::internal(format!("a problem of the unknown kind `{name}` was kept"));
        };
        let extensions = saved["extensions"].as_object().cloned().unwrap_or_default();
        Self { extensions, ..Self::new(kind, saved["detail"].as_str().unwrap_or_default()) }
    }

    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    pub fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// What the client is told.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The document, without headers.
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: self.kind.url(),
            title: self.kind.title.to_owned(),
            status: self.kind.status.as_u16(),
            detail: self.detail.clone(),
            extensions: self.extensions.clone(),
        }
    }

    /// Logs the cause of an error of ours, where it is answered.
    pub(crate) fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(problem = self.kind.name, cause, "request failed");
        }
    }
}

/// For the log.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.title, self.cause.as_deref().unwrap_or(&self.detail))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let text = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.kind.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }
}
