//! A request for each record. What is not answered with success is sent again; after a crash some come twice.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use tokio::runtime::Runtime;

use super::{Writer, WriterSpec, encoder, options};
use crate::format::Encoder;
use crate::{Changes, Error, Result, threads};

pub(super) const CONNECTOR: &str = "webhook";
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Waits between tries; then the script ends with an error.
const WAITS_MS: [u64; 6] = [100, 300, 1_000, 3_000, 10_000, 10_000];

struct Webhook {
    endpoint: Url,
    client: Client,
    encoder: Encoder,
    runtime: Runtime,
}

pub(super) fn open(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let mut options = options(CONNECTOR, spec);
    let endpoint = options.required("endpoint")?;
    let endpoint = Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let endpoint = endpoint.ok_or_else(|| options.error("option 'endpoint' must be a URL that begins with http:// or https://"))?;
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    headers.extend(options.headers()?);
    let encoder = encoder(&mut options, spec)?;
    options.finish()?;
    let client = Client::builder().default_headers(headers).timeout(PATIENCE).build();
    let client = client.map_err(|error| Error::config(CONNECTOR, error.to_string()))?;
    let runtime = threads::runtime()?;
    Ok(Box::new(Webhook { endpoint, client, encoder, runtime }))
}

impl Writer for Webhook {
    fn write(&mut self, changes: &Changes) -> Result<()> {
        self.encoder.encode(changes, &mut |record| self.runtime.block_on(send(&self.client, &self.endpoint, record)))
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

async fn send(client: &Client, endpoint: &Url, record: &[u8]) -> Result<()> {
    let mut waits = WAITS_MS.iter();
    loop {
        let failure = match client.post(endpoint.clone()).body(record.to_vec()).send().await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => {
                let status = response.status();
                let message = format!("`{}` answered {status}", endpoint.host_str().unwrap_or_default());
                if !(status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)) {
                    return Err(Error::config(CONNECTOR, message));
                }
                message
            }
            // The URL may hold a secret.
            Err(error) => error.without_url().to_string(),
        };
        match waits.next() {
            Some(wait) => tokio::time::sleep(Duration::from_millis(*wait)).await,
            None => return Err(Error::unavailable(CONNECTOR, failure)),
        }
    }
}
