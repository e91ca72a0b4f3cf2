//! Logs on stderr, and traces to a collector.

use std::io::IsTerminal;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::ui;

/// What a program that serves logs, if nobody says otherwise.
pub(crate) const OF_A_SERVER: &str = "warn,sqlx=error,tantivy=error,dbsp::storage=error";

/// What sends traces out; dropped, it sends what is left.
pub struct Telemetry(Option<SdkTracerProvider>);

/// Sets logging up: to stderr, between what a command says there by itself; `RUST_LOG` chooses what, `CHIMERA_LOG_FORMAT=json` how.
///
/// A program that serves sends its traces to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, by OTLP over HTTP; how, the other
/// variables of OpenTelemetry's specification choose.
pub fn start(serves: bool, runtime: &Handle) -> Telemetry {
    let default = if serves { OF_A_SERVER } else { "error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal() && ui::colours());
    let is_json = std::env::var("CHIMERA_LOG_FORMAT").is_ok_and(|format| format == "json");
    let log = if is_json { log.json().boxed() } else { log.boxed() };
    let registry = tracing_subscriber::registry().with(log.with_filter(filter));
    let collector =
        ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"].into_iter().any(|name| std::env::var_os(name).is_some());
    if !(serves && collector) {
        registry.init();
        return Telemetry(None);
    }
    match SpanExporter::builder().with_http().with_http_client(Client::new(runtime)).build() {
        Ok(exporter) => {
            let resource =
                Resource::builder().with_service_name(std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "chimera".to_owned()));
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
            let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("chimera"));
            // Of requests and what they call, not of what the sending itself does.
            let ours = Targets::new().with_target("chimera_serving", LevelFilter::INFO);
            registry.with(spans.with_filter(ours)).init();
            Telemetry(Some(provider))
        }
        Err(error) => {
            registry.init();
            tracing::error!(%error, "no traces are sent: the collector's address is not good");
            Telemetry(None)
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|provider| provider.shutdown()) {
            eprintln!("the last traces were not sent: {error}");
        }
    }
}

/// Sends on the program's runtime: what batches spans is a thread of its own.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

impl Client {
    fn new(runtime: &Handle) -> Self {
        Self { client: reqwest::Client::new(), runtime: runtime.clone() }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}
