//! Avro records in Confluent's wire format: a zero, the number of the schema in the registry (four bytes, big-endian), the record.
//!
//! A record is read by the schema that it was written with, and its fields are then matched with the table's columns by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_avro::reader::{Decoder as RecordDecoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, FingerprintStrategy, SchemaStore};
use arrow_avro::writer::WriterBuilder;
use arrow_avro::writer::format::AvroSoeFormat;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{BadRecord, Decoded, conform};
use crate::log::Entry;
use crate::{Changes, Error, Result, threads};

/// As a table names it.
pub const AVRO: &str = "avro";
const PREFIX_BYTES: usize = 5;
/// How long one request to the registry may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Confluent schema registry.
pub struct Registry {
    endpoint: Url,
    client: Client,
    /// Calls of connectors of scripts, which have threads.
    runtime: Runtime,
}

impl Registry {
    /// # Errors
    /// [`Error::Config`] when `endpoint` is no URL of HTTP.
    pub fn new(endpoint: &str) -> Result<Self> {
        let url = Url::parse(&format!("{}/", endpoint.trim_end_matches('/'))).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let endpoint =
            url.ok_or_else(|| Error::config(AVRO, "the schema registry's endpoint must be a URL that begins with http:// or https://"))?;
        let client = Client::builder().timeout(PATIENCE).build().map_err(|error| Error::config(AVRO, error.to_string()))?;
        let runtime = threads::runtime()?;
        Ok(Registry { endpoint, client, runtime })
    }

    /// The schema of this number, `None` if there is none.
    fn schema(&self, id: u32) -> Result<Option<String>> {
        let response = self.ask(|client, url| client.get(url), &format!("schemas/ids/{id}"))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.answer(response)?;
        Ok(answer["schema"].as_str().map(str::to_owned))
    }

    /// Registers a schema for the values of `topic`; gives its number. The same schema gets the same number.
    fn register(&self, topic: &str, schema: &str) -> Result<u32> {
        let body = json!({ "schema": schema });
        let response = self.ask(|client, url| client.post(url).json(&body), &format!("subjects/{topic}-value/versions"))?;
        let answer = self.answer(response)?;
        let id = answer["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| Error::corrupt(AVRO, format!("the schema registry gave no number for the schema of `{topic}`: {answer}")))
    }

    fn ask(&self, request: impl Fn(&Client, Url) -> reqwest::RequestBuilder, path: &str) -> Result<Response> {
        let url = self.endpoint.join(path).map_err(|error| Error::config(AVRO, error.to_string()))?;
        let sent = self.runtime.block_on(async { request(&self.client, url).send().await });
        sent.map_err(|error| Error::unavailable(AVRO, format!("the schema registry does not answer: {}", error.without_url())))
    }

    fn answer(&self, response: Response) -> Result<Value> {
        let status = response.status();
        let body = self.runtime.block_on(response.text()).map_err(|error| Error::unavailable(AVRO, error.without_url()))?;
        if !status.is_success() {
            let message = format!("the schema registry answered {status}: {}", body.chars().take(200).collect::<String>());
            return Err(if status.is_server_error() { Error::unavailable(AVRO, message) } else { Error::config(AVRO, message) });
        }
        serde_json::from_str(&body).map_err(|error| Error::corrupt(AVRO, format!("the schema registry's answer is no JSON: {error}")))
    }
}

/// Reads records of one table.
pub struct AvroDecoder {
    schema: SchemaRef,
    registry: Registry,
    /// Schemas by their number; `None` for numbers that the registry does not know.
    schemas: HashMap<u32, Option<String>>,
}

impl AvroDecoder {
    pub fn new(schema: SchemaRef, registry: Registry) -> Self {
        AvroDecoder { schema, registry, schemas: HashMap::new() }
    }

    /// Records as rows to come. Fails when the registry is away; a record that cannot be read is among the bad ones.
    pub fn decode(&mut self, entries: &[Entry]) -> Result<Decoded> {
        let mut decoded = Decoded { changes: empty(&self.schema), origins: vec![], bad: vec![] };
        let mut batches = vec![];
        let mut run: Vec<(usize, &Entry, &[u8])> = vec![];
        let mut run_id = None;
        for (index, entry) in entries.iter().enumerate() {
            let Some(value) = entry.record.value.as_deref() else { continue };
            let id = match value.split_first_chunk::<PREFIX_BYTES>() {
                Some(([0, id @ ..], _)) => Some(u32::from_be_bytes(*id)),
                _ => None,
            };
            if id.is_none() {
                let error = "it is not in Confluent's wire format: a zero and the number of a schema come first".to_owned();
                decoded.bad.push(BadRecord { index, offset: entry.offset, error });
            } else if id != run_id && !run.is_empty() {
                self.run(run_id, &std::mem::take(&mut run), &mut decoded, &mut batches)?;
            }
            if id.is_some() {
                run_id = id;
                run.push((index, entry, value));
            }
        }
        self.run(run_id, &run, &mut decoded, &mut batches)?;
        let batch = concat_batches(&self.schema, &batches).map_err(|error| Error::corrupt(AVRO, error))?;
        decoded.changes = Changes { weights: vec![1; batch.num_rows()], batch };
        decoded.bad.sort_by_key(|bad| bad.index);
        Ok(decoded)
    }

    /// Records of one schema.
    fn run(
        &mut self,
        id: Option<u32>,
        run: &[(usize, &Entry, &[u8])],
        decoded: &mut Decoded,
        batches: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        let Some(id) = id.filter(|_| !run.is_empty()) else { return Ok(()) };
        if !self.schemas.contains_key(&id) {
            let schema = self.registry.schema(id)?;
            self.schemas.insert(id, schema);
        }
        let written = self.schemas.get(&id).cloned().flatten().ok_or_else(|| format!("the schema registry has no schema {id}"));
        let all: Vec<&[u8]> = run.iter().map(|(_, _, value)| *value).collect();
        let read =
            |values: &[&[u8]]| written.clone().and_then(|written| rows(id, &written, values)).and_then(|rows| conform(&rows, &self.schema));
        match read(&all) {
            Ok(batch) => {
                batches.push(batch);
                decoded.origins.extend(run.iter().map(|(index, _, _)| *index));
            }
            // One of them is bad: each alone says which.
            Err(_) => {
                for (index, entry, value) in run {
                    match read(&[value]) {
                        Ok(batch) => {
                            batches.push(batch);
                            decoded.origins.push(*index);
                        }
                        Err(error) => decoded.bad.push(BadRecord { index: *index, offset: entry.offset, error }),
                    }
                }
            }
        }
        Ok(())
    }
}

fn empty(schema: &SchemaRef) -> Changes {
    Changes { batch: RecordBatch::new_empty(schema.clone()), weights: vec![] }
}

fn decoder(id: u32, written: &str, rows: usize) -> Result<RecordDecoder, String> {
    let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
    let fingerprint = store.set(Fingerprint::Id(id), AvroSchema::new(written.to_owned())).map_err(|error| error.to_string())?;
    let builder = ReaderBuilder::new().with_batch_size(rows.max(1)).with_writer_schema_store(store).with_active_fingerprint(fingerprint);
    builder.build_decoder().map_err(|error| error.to_string())
}

/// Records as they were written, each a row.
fn rows(id: u32, written: &str, values: &[&[u8]]) -> Result<RecordBatch, String> {
    let mut decoder = decoder(id, written, values.len())?;
    for value in values {
        let read = decoder.decode(value).map_err(|error| error.to_string())?;
        if read < value.len() {
            return Err("the record ends too early, or something follows it".into());
        }
    }
    let batch = decoder.flush().map_err(|error| error.to_string())?;
    let batch = batch.filter(|batch| batch.num_rows() == values.len());
    batch.ok_or_else(|| "the record ends too early".into())
}

/// Writes rows of one table.
pub struct AvroEncoder {
    /// The table's columns, with times as Avro counts them.
    schema: SchemaRef,
    id: u32,
}

impl AvroEncoder {
    /// Registers the schema of the rows for the values of `topic`.
    pub fn new(schema: &SchemaRef, topic: &str, registry: &Registry) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_data_type(written_type(field.data_type())));
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        let avro = AvroSchema::try_from(schema.as_ref()).map_err(|error| Error::config(AVRO, error.to_string()))?;
        let id = registry.register(topic, &avro.json_string)?;
        Ok(AvroEncoder { schema, id })
    }

    /// Gives `emit` each record. A row that comes several times is several records.
    pub fn encode(&self, changes: &Changes, emit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let corrupt = |error: String| Error::corrupt(AVRO, error);
        let rows = conform(&changes.batch, &self.schema).map_err(corrupt)?;
        let builder = WriterBuilder::new(self.schema.as_ref().clone()).with_fingerprint_strategy(FingerprintStrategy::Id(self.id));
        let mut encoder = builder.build_encoder::<AvroSoeFormat>().map_err(|error| corrupt(error.to_string()))?;
        encoder.encode(&rows).map_err(|error| corrupt(error.to_string()))?;
        let records = encoder.flush();
        for (record, weight) in records.iter().zip(&changes.weights) {
            (0..*weight).try_for_each(|_| emit(&record))?;
        }
        Ok(())
    }
}

/// Times are microseconds of UTC: readers know no finer ones.
fn written_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        other => other.clone(),
    }
}
