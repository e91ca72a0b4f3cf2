//! A topic of Kafka, all partitions.

use std::sync::Arc;
use std::time::Duration;

use arrow::compute::concat_batches;
use tokio::runtime::Runtime;

use super::{BadRow, Batch, Source, SourceSpec, options};
use crate::format::{AVRO, AvroDecoder, Decoded, Decoder, Format, Registry};
use crate::log::{Entry, KafkaLog, Log};
use crate::{Changes, Error, Result, threads};

pub(super) const CONNECTOR: &str = "kafka";
/// Where the schemas of Avro's records are.
pub(crate) const REGISTRY: &str = "schema_registry.endpoint";
/// How long a partition without records is waited for.
const WAIT: Duration = Duration::from_millis(20);

struct Partition {
    next: u64,
    /// Where to stop.
    end: Option<u64>,
}

enum Reader {
    Records(Decoder),
    Avro(AvroDecoder),
}

impl Reader {
    fn decode(&mut self, topic: &str, partition: u32, entries: &[Entry]) -> Result<Decoded> {
        match self {
            Reader::Records(decoder) => Ok(decoder.decode(topic, partition, entries)),
            Reader::Avro(decoder) => decoder.decode(entries),
        }
    }
}

struct Topic {
    topic: String,
    decoder: Reader,
    log: Arc<KafkaLog>,
    partitions: Vec<Partition>,
    /// The log's calls are asynchronous; this source has a thread.
    runtime: Runtime,
}

pub(super) fn open(spec: SourceSpec) -> Result<Box<dyn Source>> {
    let mut options = options(CONNECTOR, &spec);
    let bootstrap_servers = options.required("bootstrap_servers")?;
    let topic = options.required("topic")?;
    let format = options.required("format")?;
    let registry = options.optional(REGISTRY);
    let from = options.optional("source.offset").unwrap_or_else(|| "earliest".into());
    let until = options.optional("source.until");
    let chosen = |options: &crate::options::Options, name: &str, value: &str, known: &[&str]| match known.contains(&value) {
        true => Ok(()),
        false => Err(options.error(format!("option '{name}' = '{value}' must be {}", known.join(" or ")))),
    };
    chosen(&options, "source.offset", &from, &["earliest", "latest"])?;
    if let Some(until) = &until {
        chosen(&options, "source.until", until, &["latest"])?;
    }
    options.finish()?;
    let decoder = match (format.as_str(), registry) {
        (AVRO, Some(endpoint)) if spec.metadata.is_empty() => Reader::Avro(AvroDecoder::new(spec.schema, Registry::new(&endpoint)?)),
        (AVRO, Some(_)) => return Err(Error::config(AVRO, format!("table {}: rows of Avro have no METADATA", spec.table))),
        (AVRO, None) => return Err(Error::config(AVRO, format!("table {}: option '{REGISTRY}' is missing", spec.table))),
        (format, _) => Reader::Records(Decoder::new(format.parse::<Format>()?, spec.schema, spec.metadata)?),
    };
    let runtime = threads::runtime()?;
    let (log, partitions) = runtime.block_on(async {
        let log = threads::kafka(bootstrap_servers).await?;
        let found = log.topics().await?.into_iter().find(|found| found.name == topic);
        let count = found.ok_or_else(|| Error::config(CONNECTOR, format!("table {}: there is no topic `{topic}`", spec.table)))?.partitions;
        let mut partitions = Vec::new();
        for partition in 0..count {
            let latest = log.end_offset(&topic, partition).await?;
            let next = if from == "latest" { latest } else { log.start_offset(&topic, partition).await? };
            partitions.push(Partition { next, end: until.as_ref().map(|_| latest) });
        }
        Ok::<_, Error>((log, partitions))
    })?;
    Ok(Box::new(Topic { topic, decoder, log, partitions, runtime }))
}

impl Source for Topic {
    fn next(&mut self, rows: usize) -> Result<Option<Batch>> {
        if self.partitions.iter().all(|partition| partition.end.is_some_and(|end| partition.next >= end)) {
            return Ok(None);
        }
        let (mut batches, mut weights, mut bad) = (vec![], vec![], vec![]);
        for (number, partition) in (0u32..).zip(&mut self.partitions) {
            if partition.end.is_some_and(|end| partition.next >= end) {
                continue;
            }
            let mut entries = self.runtime.block_on(self.log.read(&self.topic, number, partition.next, rows, WAIT))?;
            entries.retain(|entry| partition.end.is_none_or(|end| entry.offset < end));
            match (entries.last(), partition.end) {
                (Some(last), _) => partition.next = last.offset + 1,
                // What is left before the end are marks of transactions.
                (None, Some(end)) => partition.next = end,
                (None, None) => {}
            }
            let decoded = self.decoder.decode(&self.topic, number, &entries)?;
            let place = |offset| format!("topic {}, partition {number}, offset {offset}", self.topic);
            bad.extend(decoded.bad.into_iter().map(|bad| BadRow { place: place(bad.offset), error: bad.error }));
            weights.extend(decoded.changes.weights);
            batches.push(decoded.changes.batch);
        }
        let schema = batches.first().map(|batch| batch.schema());
        let Some(schema) = schema else { return Ok(None) };
        let batch = concat_batches(&schema, &batches).map_err(|error| Error::corrupt(CONNECTOR, error))?;
        Ok(Some(Batch { changes: Changes { batch, weights }, bad }))
    }
}
