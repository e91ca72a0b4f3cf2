//! Server-sent events of an HTTP endpoint: an event's data is a record, its id the record's key. A connection that ends is opened again, with the
//! id of the last event, as the specification has it (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::runtime::Runtime;

use super::sse_lines::{Event, Events};
use super::{BadRow, Batch, Source, SourceSpec, options};
use crate::format::{Decoder, Format};
use crate::log::{Entry, Record};
use crate::{Error, Result, threads};

pub(super) const CONNECTOR: &str = "sse";
/// How long events are waited for before those that are there are handed on.
const WAIT: Duration = Duration::from_millis(20);
/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(10);
/// Before a connection is opened again, unless the server says how long; after failures up to the longest.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

struct Endpoint {
    url: Url,
    client: Client,
    /// Of which events; empty: of all.
    wanted: Vec<String>,
    decoder: Decoder,
    runtime: Runtime,
    answer: Option<Response>,
    events: Events,
    last_id: Option<String>,
    retry: Duration,
    failures: u32,
    open_at: Instant,
    count: u64,
}

pub(super) fn open(spec: SourceSpec) -> Result<Box<dyn Source>> {
    let mut options = options(CONNECTOR, &spec);
    let endpoint = options.required("endpoint")?;
    let url = Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| options.error("option 'endpoint' must be a URL that begins with http:// or https://"))?;
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/event-stream"))]);
    headers.extend(options.headers()?);
    let wanted = options.list("events");
    let format: Format = options.required("format")?.parse()?;
    options.finish()?;
    let client = Client::builder().default_headers(headers).connect_timeout(CONNECT).build();
    let client = client.map_err(|error| Error::config(CONNECTOR, error.to_string()))?;
    let decoder = Decoder::new(format, spec.schema, spec.metadata)?;
    let runtime = threads::runtime()?;
    let (answer, events, last_id, open_at) = (None, Events::default(), None, Instant::now());
    Ok(Box::new(Endpoint { url, client, wanted, decoder, runtime, answer, events, last_id, retry: RETRY, failures: 0, open_at, count: 0 }))
}

enum Opened {
    Yes(Response),
    /// It is tried again.
    NotNow(String),
    /// The server has no more events.
    Never,
}

async fn connect(client: &Client, url: &Url, last_id: Option<&str>) -> Result<Opened> {
    let mut request = client.get(url.clone());
    // One that no header can hold would be refused at every try.
    if let Some(id) = last_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        request = request.header("Last-Event-ID", id);
    }
    let host = url.host_str().unwrap_or_default();
    let answer = match tokio::time::timeout(CONNECT, request.send()).await {
        Ok(Ok(answer)) => answer,
        // The URL may hold a secret.
        Ok(Err(error)) => return Ok(Opened::NotNow(error.without_url().to_string())),
        Err(_) => return Ok(Opened::NotNow(format!("`{host}` does not answer"))),
    };
    let status = answer.status();
    if status == StatusCode::NO_CONTENT {
        return Ok(Opened::Never);
    }
    if status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) {
        return Ok(Opened::NotNow(format!("`{host}` answered {status}")));
    }
    if !status.is_success() {
        return Err(Error::config(CONNECTOR, format!("`{host}` answered {status}")));
    }
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        return Err(Error::config(CONNECTOR, format!("`{host}` answered with `{kind}`; events are of the type text/event-stream")));
    }
    Ok(Opened::Yes(answer))
}

impl Endpoint {
    /// The connection is opened again a while later, and after failures later still.
    fn reopen(&mut self, failure: Option<&str>) {
        self.answer = None;
        self.events.end();
        let factor = 2_u32.saturating_pow(self.failures.min(16));
        self.open_at = Instant::now() + self.retry.saturating_mul(factor).min(LONGEST_RETRY.max(self.retry));
        if let Some(failure) = failure {
            self.failures += 1;
            tracing::warn!(connector = CONNECTOR, failure, "the connection is opened again");
        }
    }

    /// Reads what comes within a moment, up to about `rows` events.
    fn read(&mut self, rows: usize) -> Result<bool> {
        if self.answer.is_none() {
            let now = Instant::now();
            if now < self.open_at {
                std::thread::sleep((self.open_at - now).min(WAIT));
                return Ok(true);
            }
            match self.runtime.block_on(connect(&self.client, &self.url, self.last_id.as_deref()))? {
                Opened::Yes(answer) => self.answer = Some(answer),
                Opened::NotNow(failure) => {
                    self.reopen(Some(&failure));
                    return Ok(true);
                }
                Opened::Never => return Ok(false),
            }
        }
        let deadline = Instant::now() + WAIT;
        while self.events.waiting() < rows
            && let Some(answer) = &mut self.answer
        {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.runtime.block_on(async { tokio::time::timeout(left, answer.chunk()).await }) {
                Err(_) => break,
                Ok(Ok(Some(chunk))) => {
                    self.failures = 0;
                    self.events.push(&chunk);
                }
                Ok(Ok(None)) => self.reopen(None),
                Ok(Err(error)) => self.reopen(Some(&error.without_url().to_string())),
            }
        }
        Ok(true)
    }
}

impl Source for Endpoint {
    fn next(&mut self, rows: usize) -> Result<Option<Batch>> {
        let goes_on = self.read(rows)?;
        if let Some(retry) = self.events.retry() {
            self.retry = retry;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        let (mut entries, mut bad) = (Vec::new(), Vec::new());
        for event in self.events.take(rows) {
            let offset = self.count;
            match event {
                Ok(Event { name, data, id }) => {
                    self.last_id.clone_from(&id);
                    if self.wanted.is_empty() || self.wanted.contains(&name) {
                        let record = Record::new(id.map(Bytes::from), Some(Bytes::from(data)), now);
                        entries.push(Entry { offset, record });
                        self.count += 1;
                    }
                }
                Err(error) => {
                    bad.push(BadRow { place: format!("event {offset}"), error });
                    self.count += 1;
                }
            }
        }
        if entries.is_empty() && bad.is_empty() && !goes_on {
            return Ok(None);
        }
        let decoded = self.decoder.decode(self.url.host_str().unwrap_or_default(), 0, &entries);
        bad.extend(decoded.bad.into_iter().map(|bad| BadRow { place: format!("event {}", bad.offset), error: bad.error }));
        Ok(Some(Batch { changes: decoded.changes, bad }))
    }
}
