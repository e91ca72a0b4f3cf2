//! The one thread that appends: all requests that wait go into one transaction, so that many appenders share its two round trips.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use tokio::sync::{mpsc, oneshot};

use super::{CONNECTOR, MAX_MESSAGE_BYTES, PATIENCE};
use crate::log::{Append, Position, rules};
use crate::{Error, Result};

/// More would only make the first appender wait longer.
const MAX_ROUND_BYTES: usize = 8 << 20;
/// Longer than any wait of ours, so that it is never the broker that gives up first.
const TRANSACTION_AT_MOST: Duration = Duration::from_secs(120);

/// Records with their partitions chosen.
pub(super) struct Request {
    pub(super) records: Vec<Append>,
    pub(super) reply: oneshot::Sender<Result<Vec<Position>>>,
}

pub(super) struct Appender {
    config: ClientConfig,
    requests: mpsc::Receiver<Request>,
    state: State,
}

enum State {
    Ready(BaseProducer<Deliveries>),
    /// After an error that a producer does not survive: the next append makes a new one.
    Lost,
    /// Another process has taken our name: taking it back would only shut that one out.
    ShutOut,
}

/// Where each record of the transaction went, or why it did not. A record's place in the transaction comes back with its report.
#[derive(Default)]
struct Deliveries(Mutex<Vec<Option<Result<u64, KafkaError>>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, place: usize) {
        let outcome = match result {
            Ok(message) => u64::try_from(message.offset()).map_err(|_| KafkaError::Canceled),
            Err((error, _)) => Err(error.clone()),
        };
        if let Some(slot) = self.0.lock().get_mut(place) {
            *slot = Some(outcome);
        }
    }
}

/// Why a transaction did not come about, and what becomes of the producer.
struct Failed {
    error: Error,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Reconnect,
    StayOut,
}

impl Appender {
    pub(super) fn new(mut config: ClientConfig, requests: mpsc::Receiver<Request>) -> Result<Self> {
        config
            .set("enable.idempotence", "true")
            .set("transaction.timeout.ms", TRANSACTION_AT_MOST.as_millis().to_string())
            .set("message.timeout.ms", PATIENCE.as_millis().to_string())
            .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string())
            .set("linger.ms", "1")
            // Right after a commit the coordinator asks to come again while it finishes: not only after the usual 100 ms.
            .set("retry.backoff.ms", "5")
            .set("compression.type", "lz4");
        let mut appender = Self { config, requests, state: State::Lost };
        appender.state = State::Ready(appender.connect()?);
        Ok(appender)
    }

    /// Runs until the log is dropped.
    pub(super) fn run(mut self) {
        while let Some(first) = self.requests.blocking_recv() {
            let bytes_of = |request: &Request| request.records.iter().map(|append| rules::size(&append.record)).sum::<usize>();
            let mut bytes = bytes_of(&first);
            let mut round = vec![first];
            while bytes < MAX_ROUND_BYTES
                && let Ok(request) = self.requests.try_recv()
            {
                bytes += bytes_of(&request);
                round.push(request);
            }
            self.append(round);
        }
    }

    fn connect(&self) -> Result<BaseProducer<Deliveries>> {
        let producer: BaseProducer<Deliveries> = self.config.create_with_context(Deliveries::default()).map_err(super::error)?;
        producer.init_transactions(PATIENCE).map_err(super::error)?;
        Ok(producer)
    }

    /// One transaction, on a new producer if the old one is lost.
    fn attempt(&mut self, records: &[&Append]) -> Result<Vec<u64>> {
        let producer = match std::mem::replace(&mut self.state, State::Lost) {
            State::Ready(producer) => producer,
            State::Lost => self.connect()?,
            State::ShutOut => {
                self.state = State::ShutOut;
                return Err(shut_out());
            }
        };
        let outcome = transaction(&producer, records);
        self.state = match outcome.as_ref().err().map_or(Then::GoOn, |failed| failed.then) {
            Then::GoOn => State::Ready(producer),
            Then::Reconnect => State::Lost,
            Then::StayOut => State::ShutOut,
        };
        outcome.map_err(|failed| failed.error)
    }

    fn append(&mut self, round: Vec<Request>) {
        let records: Vec<&Append> = round.iter().flat_map(|request| &request.records).collect();
        let outcome = self.attempt(&records);
        match outcome {
            Ok(offsets) => {
                metrics::counter!("chimera_log_appended_records_total").increment(offsets.len() as u64);
                let mut offsets = offsets.into_iter();
                for request in round {
                    let positions = request.records.into_iter().zip(&mut offsets).map(|(append, offset)| Position {
                        topic: append.topic,
                        partition: append.partition.unwrap_or(0),
                        offset,
                    });
                    // Nobody waits any more if the caller was dropped.
                    let _ = request.reply.send(Ok(positions.collect()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a transaction failed");
                for request in round {
                    let _ = request.reply.send(Err(again(&error)));
                }
            }
        }
    }
}

/// Appends the records in one transaction; the offset of each.
fn transaction(producer: &BaseProducer<Deliveries>, records: &[&Append]) -> Result<Vec<u64>, Failed> {
    *producer.context().0.lock() = vec![None; records.len()];
    producer.begin_transaction().map_err(|error| failed(producer, error))?;
    let sent = send(producer, records).and_then(|()| wait_for_reports(producer)).and_then(|()| offsets(producer));
    let offsets = match sent {
        Ok(offsets) => offsets,
        Err(error) => return Err(abort(producer, error)),
    };
    let started = Instant::now();
    loop {
        match producer.commit_transaction(PATIENCE) {
            Ok(()) => return Ok(offsets),
            // The broker may have committed: asking again is safe, giving up is not.
            Err(KafkaError::Transaction(error)) if error.is_retriable() && started.elapsed() < TRANSACTION_AT_MOST => {}
            Err(KafkaError::Transaction(error)) if error.txn_requires_abort() => {
                return Err(abort(producer, KafkaError::Transaction(error)));
            }
            Err(error) => {
                let failed = failed(producer, error);
                return Err(Failed { then: if failed.then == Then::StayOut { Then::StayOut } else { Then::Reconnect }, ..failed });
            }
        }
    }
}

fn send(producer: &BaseProducer<Deliveries>, records: &[&Append]) -> Result<(), KafkaError> {
    for (place, append) in records.iter().enumerate() {
        let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(&append.topic, place)
            .partition(append.partition.unwrap_or(0) as i32)
            // To the client 0 would mean now.
            .timestamp(append.record.timestamp_ms.max(1));
        if let Some(key) = &append.record.key {
            record = record.key(key);
        }
        if let Some(value) = &append.record.value {
            record = record.payload(value);
        }
        if !append.record.headers.is_empty() {
            let headers = append.record.headers.iter().fold(OwnedHeaders::new(), |headers, header| {
                headers.insert(rdkafka::message::Header { key: &header.name, value: Some(&header.value[..]) })
            });
            record = record.headers(headers);
        }
        let started = Instant::now();
        while let Err((error, refused)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) || started.elapsed() > PATIENCE {
                return Err(error);
            }
            producer.poll(Duration::from_millis(10));
            record = refused;
        }
    }
    Ok(())
}

/// Until every record is delivered or given up. (`flush` of the client does the same, but looks only every 100 ms.)
fn wait_for_reports(producer: &BaseProducer<Deliveries>) -> Result<(), KafkaError> {
    let started = Instant::now();
    while producer.in_flight_count() > 0 {
        if started.elapsed() > 2 * PATIENCE {
            return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
        }
        producer.poll(Duration::from_millis(1));
    }
    Ok(())
}

fn offsets(producer: &BaseProducer<Deliveries>) -> Result<Vec<u64>, KafkaError> {
    let reports = std::mem::take(&mut *producer.context().0.lock());
    reports.into_iter().map(|report| report.unwrap_or(Err(KafkaError::NoMessageReceived))).collect()
}

fn abort(producer: &BaseProducer<Deliveries>, error: KafkaError) -> Failed {
    let mut failed = failed(producer, error);
    if failed.then == Then::GoOn
        && let Err(error) = producer.abort_transaction(PATIENCE)
    {
        tracing::warn!(%error, "a transaction could not be aborted: the next producer will end it");
        failed.then = Then::Reconnect;
    }
    failed
}

fn failed(producer: &BaseProducer<Deliveries>, error: KafkaError) -> Failed {
    // The error at hand may only be a consequence, such as records thrown away.
    let fatal = producer.client().fatal_error();
    let code = fatal.as_ref().map(|(code, _)| *code).or(error.rdkafka_error_code());
    let fenced = [RDKafkaErrorCode::Fenced, RDKafkaErrorCode::ProducerFenced, RDKafkaErrorCode::InvalidProducerEpoch];
    if code.is_some_and(|code| fenced.contains(&code)) {
        return Failed { error: shut_out(), then: Then::StayOut };
    }
    match (fatal, &error) {
        (Some((_, reason)), _) => Failed { error: Error::unavailable(CONNECTOR, reason), then: Then::Reconnect },
        (None, KafkaError::Transaction(inner)) if !inner.txn_requires_abort() => {
            Failed { error: super::error(error), then: Then::Reconnect }
        }
        (None, _) => Failed { error: super::error(error), then: Then::GoOn },
    }
}

fn shut_out() -> Error {
    let message = "another process appends under the same transactional_id: stop it, or give this one another id, and start again";
    Error::unavailable(CONNECTOR, message)
}

/// The same error for another caller.
fn again(error: &Error) -> Error {
    match error {
        Error::Config { connector, message } => Error::Config { connector, message: message.clone() },
        Error::Unavailable { connector, message } => Error::Unavailable { connector, message: message.clone() },
        other => Error::unavailable(CONNECTOR, other),
    }
}
