//! What happens to every request: an id, a measurement, a limit, a time limit.

use std::any::Any;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TraceId};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use super::catalog::import;
use super::problem::{Problem, Result, kinds};
use super::state::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id (the client's, if it is a short plain word), logs and measures it.
pub async fn observe(request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_plain(id));
    let id = id.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    // Of the highest level: it stands beside whatever is logged within, whichever levels are.
    let span = tracing::error_span!("request", otel.name = format!("{method} {route}"), otel.kind = "server", %method, route, id, trace_id = field::Empty);
    trace(&span, request.headers());
    let start = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = start.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, elapsed_ms = elapsed.as_secs_f64() * 1e3, "answered"));
    // Methods are free text: keep their number bounded.
    let method =
        if ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) { method.to_string() } else { "other".to_owned() };
    let labels = [("method", method), ("route", route), ("status", status.to_string())];
    metrics::histogram!("chimera_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Goes on with the trace that the client is in (`traceparent`, W3C Trace Context); its id stands in the log beside the request's.
fn trace(span: &Span, headers: &HeaderMap) {
    let theirs = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    let mut trace_id = theirs.span().span_context().trace_id();
    if span.set_parent(theirs).is_ok() {
        trace_id = span.context().span().span_context().trace_id();
    }
    if trace_id != TraceId::INVALID {
        span.record("trace_id", trace_id.to_string());
    }
}

fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// By these it is seen how a server does that has too much to do.
const ALWAYS_TAKEN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Turns requests away while too many are in progress, and gives up those that take too long.
pub async fn limit(State(app): State<App>, request: Request, next: Next) -> Result<Response> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let _permit = if ALWAYS_TAKEN.contains(&path) { None } else { Some(app.request_permit()?) };
    let at_most = if path == import::create::PATH { app.limits.import_timeout } else { app.limits.request_timeout };
    match tokio::time::timeout(at_most, next.run(request)).await {
        Ok(response) => Ok(response),
        Err(_) => Err(Problem::new(&kinds::TIMED_OUT, format!("There was no answer after {} ms.", at_most.as_millis()))),
    }
}

/// The answer when a handler panicked.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of an unknown kind");
    Problem::internal(format!("a handler panicked: {message}")).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{EnvFilter, Layer};

    use super::*;
    use crate::commands::telemetry;

    #[tokio::test]
    async fn a_warning_is_logged_with_its_request_and_trace() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log.reopen().unwrap());
        let filter = EnvFilter::new(telemetry::OF_A_SERVER);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.with_filter(filter)));
        let router = Router::new().route("/odd", get(|| async { tracing::warn!("something is odd") })).layer(from_fn(observe));
        let request = axum::http::Request::builder()
            .uri("/odd")
            .header("x-request-id", "from-the-client")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .body(Body::empty())
            .unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), 200);
        let logged = std::fs::read_to_string(log.path()).unwrap();
        let line = logged.lines().find(|line| line.contains("something is odd")).unwrap_or_else(|| panic!("nothing is odd: {logged}"));
        for field in ["id=\"from-the-client\"", "trace_id=\"0af7651916cd43dd8448eb211c80319c\"", "route=\"/odd\""] {
            assert!(line.contains(field), "no {field}: {line}");
        }
    }
}
