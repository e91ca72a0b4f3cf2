//! A topic of Kafka: what a step brings is one transaction.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::{Writer, WriterSpec, encoder, options};
use crate::format::{AVRO, AvroEncoder, Encoder, Registry};
use crate::log::{Append, KafkaLog, Log, Record, TopicConfig};
use crate::source::kafka::REGISTRY;
use crate::{Changes, Error, Result, threads};

pub(super) const CONNECTOR: &str = "kafka";

enum Records {
    Plain(Encoder),
    Avro(AvroEncoder),
}

impl Records {
    fn encode(&self, changes: &Changes, emit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            Records::Plain(encoder) => encoder.encode(changes, emit),
            Records::Avro(encoder) => encoder.encode(changes, emit),
        }
    }
}

struct Topic {
    topic: String,
    encoder: Records,
    waiting: Vec<Append>,
    log: Arc<KafkaLog>,
    /// The log's calls are asynchronous; a script writes from its own thread.
    runtime: Runtime,
}

pub(super) fn open(spec: &WriterSpec) -> Result<Box<dyn Writer>> {
    let mut options = options(CONNECTOR, spec);
    let bootstrap_servers = options.required("bootstrap_servers")?;
    let topic = options.required("topic")?;
    let registry = options.optional(REGISTRY);
    let encoder = match (spec.options.get("format").map(String::as_str), registry) {
        (Some(AVRO), Some(endpoint)) => {
            options.optional("format");
            Records::Avro(AvroEncoder::new(&spec.schema, &topic, &Registry::new(&endpoint)?)?)
        }
        (Some(AVRO), None) => return Err(options.error(format!("option '{REGISTRY}' is missing"))),
        _ => Records::Plain(encoder(&mut options, spec)?),
    };
    // Every write is a transaction.
    if let Some(mode) = options.optional("sink.commit_mode").filter(|mode| mode != "exactly_once" && mode != "at_least_once") {
        return Err(options.error(format!("option 'sink.commit_mode' = '{mode}' must be exactly_once or at_least_once")));
    }
    options.finish()?;
    let runtime = threads::runtime()?;
    let log = runtime.block_on(async {
        let log = threads::kafka(bootstrap_servers).await?;
        log.create_topic(&topic, TopicConfig::default()).await?;
        Ok::<_, Error>(log)
    })?;
    Ok(Box::new(Topic { topic, encoder, waiting: Vec::new(), log, runtime }))
}

impl Writer for Topic {
    fn write(&mut self, changes: &Changes) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        self.encoder.encode(changes, &mut |record| {
            let record = Record::new(None, Some(Bytes::copy_from_slice(record)), now);
            self.waiting.push(Append { topic: self.topic.clone(), partition: None, record });
            Ok(())
        })
    }

    fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.waiting);
        self.runtime.block_on(self.log.append(records)).map(drop)
    }
}
