//! `GET /metrics`: what Prometheus reads.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::state::App;

/// From half a millisecond to ten seconds.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Makes `metrics` record into what `/metrics` shows. The first call in a process does it, later ones return the same handle.
///
/// # Errors
/// When something else was installed before.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    let _one_at_a_time = INSTALLING.lock();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?.install_recorder()?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus' text format", content_type = "text/plain"), (status = 401,
        body = super::problem::ProblemBody)))]
pub async fn get_metrics(State(app): State<App>) -> Response {
    for status in app.stores.stores() {
        let store = status.store;
        metrics::gauge!("chimera_store_age_seconds", "store" => store.clone()).set(status.age_ms as f64 / 1e3);
        metrics::gauge!("chimera_store_epoch", "store" => store.clone()).set(status.epoch as f64);
        metrics::gauge!("chimera_store_failing", "store" => store).set(if status.error.is_some() { 1.0 } else { 0.0 });
    }
    let limits = &app.limits;
    metrics::gauge!("chimera_http_requests_in_progress")
        .set(limits.max_concurrent_requests.saturating_sub(app.requests.available_permits()) as f64);
    metrics::gauge!("chimera_http_streams_open").set(app.places.taken() as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}
