//! Writes a view's changes.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use super::CONNECTOR;
use super::content::{content, difference};
use super::mark::{Mark, Marks};
use crate::format::json::JsonRows;
use crate::format::{Encoder, Format};
use crate::log::{Append, Log, Record, TopicConfig};
use crate::options::{Options, primary_key};
use crate::sink::mark::{not_gone_back, pending};
use crate::sink::merge::Merger;
use crate::sink::{Applied, Sink, SinkSpec};
use crate::{Changes, Context, EpochChanges, EpochInfo, Error, Result};

/// Bytes of one append; what is larger is written in several.
const APPEND_BYTES: usize = 4 << 20;

/// Topics whose name begins so are the platform's own.
const OWN: &str = "__chimera.";

struct TopicSink {
    log: Arc<dyn Log>,
    topic: String,
    partitions: u32,
    created: bool,
    format: Format,
    schema_columns: usize,
    key: Vec<usize>,
    encoder: Encoder,
    merger: Merger,
    marks: Marks,
    /// The last mark that was read or written.
    known: Option<Applied>,
}

/// Opens the topic of a sink table: connector `kafka`. Options `topic`, `format` (`debezium_json`, every change; or `json`, the row that a key
/// has now, and a tombstone when it has none), `partitions` (1) of a topic that is not there yet: records go to them by key.
pub fn open(spec: &SinkSpec, context: &Context) -> Result<Box<dyn Sink>> {
    let mut options = Options::new(CONNECTOR, spec);
    let topic = options.required("topic")?;
    let format = options.optional("format");
    let partitions = options.parsed("partitions", "a number of partitions")?.unwrap_or(1);
    if topic.starts_with(OWN) {
        return Err(options.error(format!("option 'topic' = '{topic}': names that begin with `{OWN}` are the platform's own")));
    }
    let format = match format.as_deref() {
        None | Some("debezium_json") => Format::DebeziumJson,
        Some("json") => Format::Json,
        Some(other) => return Err(options.error(format!("option 'format' = '{other}' is neither 'debezium_json' nor 'json'"))),
    };
    let key = primary_key(&options, spec)?;
    options.finish()?;
    let owner = format!("{}.{}", spec.pipeline, spec.table);
    let found = context.topics.get_or_open(&topic, || Ok(owner.clone()))?;
    if *found != owner {
        return Err(Error::config(CONNECTOR, format!("table {owner}: option 'topic' = '{topic}': table {found} writes there already")));
    }
    Ok(Box::new(TopicSink {
        log: context.log.clone(),
        topic,
        partitions,
        created: false,
        format,
        schema_columns: spec.schema.fields().len(),
        encoder: Encoder::new(format, &spec.schema, &spec.primary_key)?,
        merger: Merger::new(CONNECTOR, spec.schema.clone(), key.clone())?,
        key,
        marks: Marks::new(context.log.clone(), &spec.pipeline, &spec.table),
        known: None,
    }))
}

/// A key and a value; without a value it is a tombstone.
type Written = (Bytes, Option<Bytes>);

impl TopicSink {
    /// Makes the topics, the first time.
    async fn create(&mut self) -> Result<()> {
        if !self.created {
            self.log.create_topic(&self.topic, TopicConfig { partitions: self.partitions, retention: None }).await?;
            let found = self.log.topics().await?.into_iter().find(|topic| topic.name == self.topic);
            self.partitions = found.map_or(self.partitions, |topic| topic.partitions);
            self.marks.create().await?;
            self.created = true;
        }
        Ok(())
    }

    /// The last mark. A write that did not come to its end is taken back first.
    async fn mark(&mut self) -> Result<Mark> {
        self.create().await?;
        let mut mark = self.marks.last().await?;
        if let Some(from) = mark.unfinished_from.take() {
            let (log, format) = (self.log.as_ref(), self.written_in(&mark));
            let wanted = content(log, &self.topic, self.partitions, format, Some(&from)).await?;
            let found = content(log, &self.topic, self.partitions, format, None).await?;
            tracing::warn!(topic = self.topic, "a write that was broken off is taken back");
            self.write(difference(&found, &wanted, format), &mark, 0).await?;
        }
        Ok(mark)
    }

    /// The format of the records that are there: the table may have had another one.
    fn written_in(&self, mark: &Mark) -> Format {
        mark.format.as_deref().and_then(|format| format.parse().ok()).unwrap_or(self.format)
    }

    /// Appends the records and the mark that holds after them: at once, or, if they are too large, so that a crash between shows.
    async fn write(&self, records: Vec<Written>, mark: &Mark, timestamp_ms: i64) -> Result<()> {
        let size = |(key, value): &Written| key.len() + value.as_ref().map_or(0, Bytes::len) + 64;
        let mut appends: Vec<Append> = Vec::with_capacity(records.len() + 1);
        let (mut bytes, mut begun) = (0, false);
        for record in records {
            if bytes + size(&record) > APPEND_BYTES && !appends.is_empty() {
                if !begun {
                    appends.push(self.marks.append(&self.unfinished().await?));
                    begun = true;
                }
                self.log.append(std::mem::take(&mut appends)).await?;
                bytes = 0;
            }
            bytes += size(&record);
            let (key, value) = record;
            let record = Record::new(Some(key), value, timestamp_ms);
            appends.push(Append { topic: self.topic.clone(), partition: None, record });
        }
        appends.push(self.marks.append(mark));
        self.log.append(appends).await?;
        Ok(())
    }

    /// The mark of a write that begins now. One that is begun already keeps its beginning: what was taken back so far is part of it.
    async fn unfinished(&self) -> Result<Mark> {
        let mut mark = self.marks.last().await?;
        if mark.unfinished_from.is_none() {
            let mut from = Vec::new();
            for partition in 0..self.partitions {
                from.push(self.log.end_offset(&self.topic, partition).await?);
            }
            mark.unfinished_from = Some(from);
        }
        Ok(mark)
    }

    fn records(&self, epochs: &[EpochChanges]) -> Result<Vec<Written>> {
        let mut records = Vec::new();
        if self.format == Format::Json {
            let merged = self.merger.merge(epochs)?;
            let (keys, rows) = (self.keys(&merged.upserts)?, JsonRows::new(CONNECTOR, &merged.upserts, &[])?);
            records.extend(keys.into_iter().enumerate().map(|(row, key)| (key, Some(rows.row(row).into()))));
            records.extend(self.keys(&merged.deletes)?.into_iter().map(|key| (key, None)));
            return Ok(records);
        }
        for Changes { batch, weights } in epochs.iter().map(|epoch| &epoch.changes).filter(|changes| !changes.is_empty()) {
            let keys = self.keys(batch)?;
            let changes = Changes { batch: batch.clone(), weights: weights.clone() };
            self.encoder.encode_rows(&changes, &mut |row, op, record| {
                records.push((keys[row].clone(), Some(Bytes::copy_from_slice(record))));
                if op == Some("d") {
                    records.push((keys[row].clone(), None));
                }
                Ok(())
            })?;
        }
        Ok(records)
    }

    /// The key of each row, as a JSON object of the primary key's columns.
    fn keys(&self, batch: &RecordBatch) -> Result<Vec<Bytes>> {
        let others: Vec<usize> = (0..self.schema_columns).filter(|column| !self.key.contains(column)).collect();
        let keys = JsonRows::new(CONNECTOR, batch, &others)?;
        Ok((0..batch.num_rows()).map(|row| keys.row(row).into()).collect())
    }
}

#[async_trait]
impl Sink for TopicSink {
    async fn applied(&mut self) -> Result<Option<Applied>> {
        let applied = self.mark().await?.applied();
        self.known = applied;
        Ok(applied)
    }

    /// Readers of the topic see every row go.
    async fn reset(&mut self) -> Result<()> {
        self.create().await?;
        let format = self.written_in(&self.marks.last().await?);
        let found = content(self.log.as_ref(), &self.topic, self.partitions, format, None).await?;
        self.write(difference(&found, &Default::default(), format), &Mark::default(), 0).await?;
        self.known = None;
        Ok(())
    }

    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()> {
        let mark = self.mark().await?;
        not_gone_back(CONNECTOR, self.known, mark.applied())?;
        let epochs = pending(CONNECTOR, mark.applied(), epochs)?;
        let Some(EpochInfo { incarnation, epoch, .. }) = epochs.last().map(|epoch| epoch.info.as_ref()) else { return Ok(()) };
        let records = self.records(epochs)?;
        let more: i64 = epochs.iter().flat_map(|epoch| &epoch.changes.weights).sum();
        let timestamp_ms = epochs.iter().map(|epoch| epoch.info.committed_ms).max().unwrap_or(0);
        let applied: (Uuid, u64) = (*incarnation, *epoch);
        let mark =
            Mark { applied: Some(applied), rows: mark.rows + more, format: Some(self.format.as_str().to_owned()), unfinished_from: None };
        self.write(records, &mark, timestamp_ms).await?;
        self.known = mark.applied();
        Ok(())
    }

    /// An append that returned is durable.
    async fn flush(&mut self) -> Result<()> {
        let mark = self.mark().await?;
        not_gone_back(CONNECTOR, self.known, mark.applied())
    }

    async fn len(&mut self) -> Result<u64> {
        Ok(self.mark().await?.rows.max(0).cast_unsigned())
    }
}
