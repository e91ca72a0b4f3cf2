//! A dataflow that hosts compute, as its pipeline's worker drives it.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use chimera_sql::{Delta, Output, Program, RowError, merge};
use futures::future::try_join_all;
use tokio::io::{AsyncBufReadExt, BufStream};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::frame::{self, MAX_BYTES};
use super::message::{self, Reply, Request, Start};
use super::{DataflowId, Error, Hosts, Link, Purpose, connect};

/// Changes of a table with fewer rows go to one host: the next one each time.
const SPREAD_ROWS: usize = 64;

/// What is to run, and where it goes on from.
pub(crate) struct Task<'a> {
    pub dataflow: &'a DataflowId,
    pub program: &'a Program,
    /// See [`Start::functions_version`].
    pub functions_version: &'a str,
    pub workers: usize,
    pub checkpoint: Option<Uuid>,
}

/// The connection to one host's part.
struct Part {
    host: String,
    stream: BufStream<Link>,
}

impl Part {
    async fn send(&mut self, request: &Request, payload: &[u8]) -> Result<(), Error> {
        let sent = frame::write(&mut self.stream, request, payload).await;
        sent.map_err(|source| Error::Broken { host: self.host.clone(), source })
    }

    async fn receive(&mut self) -> Result<(Reply, Vec<u8>), Error> {
        let host = self.host.clone();
        match frame::read(&mut self.stream, MAX_BYTES).await {
            Ok(Some((Reply::Failed(message), _))) => Err(Error::Failed { host, message }),
            Ok(Some((Reply::NotHeld, _))) => Err(Error::NotHeld { host }),
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Error::Broken { host, source: std::io::ErrorKind::UnexpectedEof.into() }),
            Err(source) => Err(Error::Broken { host, source }),
        }
    }

    fn unexpected(&self, reply: &Reply) -> Error {
        Error::Failed { host: self.host.clone(), message: format!("an answer that was not asked for: {reply:?}") }
    }

    /// Nothing is asked of it: whatever comes is a failure.
    async fn check(&mut self) -> Result<(), Error> {
        match tokio::time::timeout(Duration::ZERO, self.stream.fill_buf()).await {
            Err(_) => Ok(()),
            Ok(_) => self.receive().await.and_then(|(reply, _)| Err(self.unexpected(&reply))),
        }
    }

    async fn started(&mut self) -> Result<u64, Error> {
        match self.receive().await?.0 {
            Reply::Started { fingerprint } => Ok(fingerprint),
            other => Err(self.unexpected(&other)),
        }
    }

    /// This part's changes of a step, and the rows that were refused.
    async fn stepped(&mut self) -> Result<(Vec<(String, Delta)>, BTreeMap<String, u64>), Error> {
        let mut changes = vec![];
        loop {
            match self.receive().await? {
                (Reply::Changes { table }, rows) => {
                    let delta = message::decode(&rows);
                    let delta = delta.map_err(|e| Error::Failed { host: self.host.clone(), message: format!("its rows: {e}") })?;
                    changes.push((table, delta));
                }
                (Reply::Stepped { row_errors }, _) => return Ok((changes, row_errors)),
                (other, _) => return Err(self.unexpected(&other)),
            }
        }
    }

    async fn checkpointed(&mut self) -> Result<(), Error> {
        match self.receive().await?.0 {
            Reply::Checkpointed => Ok(()),
            other => Err(self.unexpected(&other)),
        }
    }
}

/// Driven by one thread, which is none of the runtime's. Dropping it ends all parts.
pub(crate) struct Remote {
    runtime: Handle,
    parts: Vec<Part>,
    fingerprint: u64,
    /// The columns that are read of each table that is.
    columns: BTreeMap<String, SchemaRef>,
    next: usize,
    now: Option<i64>,
    row_errors: BTreeMap<String, u64>,
}

impl Remote {
    /// Starts every host's part. All of them have the checkpoint, or nothing is started.
    pub fn start(runtime: Handle, hosts: &Hosts, task: &Task<'_>) -> Result<Self, Error> {
        let run = Uuid::new_v4();
        let purpose = Purpose::Drive { dataflow: task.dataflow.clone(), run };
        let start = |index: usize| Start {
            run,
            text: task.program.text().clone(),
            functions_version: task.functions_version.to_owned(),
            hosts: hosts.addresses.clone(),
            index,
            workers: task.workers,
            checkpoint: task.checkpoint,
        };
        let begin = async |index: usize| {
            let host = hosts.addresses[index].clone();
            let stream = BufStream::new(connect(&host, &hosts.credentials, &purpose).await?);
            let mut part = Part { host, stream };
            part.send(&Request::Start(Box::new(start(index))), &[]).await?;
            let fingerprint = part.started().await?;
            Ok::<_, Error>((part, fingerprint))
        };
        let started = runtime.block_on(try_join_all((0..hosts.addresses.len()).map(begin)))?;
        let fingerprint = task.program.fingerprint(task.workers, hosts.addresses.len());
        if let Some((part, _)) = started.iter().find(|(_, theirs)| *theirs != fingerprint) {
            return Err(Error::OtherPlan { host: part.host.clone() });
        }
        let columns = task.program.sources.iter().filter_map(|table| {
            let read = task.program.columns_read(&table.name)?;
            Some((table.name.clone(), read.clone()))
        });
        let (columns, parts) = (columns.collect(), started.into_iter().map(|(part, _)| part).collect());
        Ok(Self { runtime, parts, fingerprint, columns, next: 0, now: None, row_errors: BTreeMap::new() })
    }

    pub fn push(&mut self, table: &str, delta: &Delta) -> Result<(), Error> {
        let Some(columns) = self.columns.get(table) else { return Ok(()) };
        let found = delta.batch.schema();
        let read: Vec<usize> = columns.fields().iter().filter_map(|field| found.index_of(field.name()).ok()).collect();
        let failed = |host: &str, cause: arrow::error::ArrowError| Error::Failed { host: host.to_owned(), message: cause.to_string() };
        let delta = Delta { batch: delta.batch.project(&read).map_err(|e| failed("of this process", e))?, weights: delta.weights.clone() };
        let hosts = self.parts.len();
        let size = if delta.len() < SPREAD_ROWS { delta.len() } else { delta.len().div_ceil(hosts) };
        let mut sent = vec![];
        for start in (0..delta.len()).step_by(size.max(1)) {
            sent.push((self.next % hosts, message::slice(&delta, start, size.min(delta.len() - start))));
            self.next += 1;
        }
        for (host, rows) in sent {
            let part = &mut self.parts[host];
            for piece in message::pieces(&rows) {
                let bytes = message::encode(&piece).map_err(|e| failed(&part.host, e))?;
                self.runtime.block_on(part.send(&Request::Push { table: table.to_owned() }, &bytes))?;
            }
        }
        Ok(())
    }

    pub fn advance(&mut self, now: i64) {
        self.now = self.now.max(Some(now));
    }

    /// All parts step together; what they give out is made one change of each sink.
    pub fn step(&mut self) -> Result<Vec<Output>, Error> {
        let request = Request::Step { now: self.now };
        // Who fails first ends the step for all: the others may wait for it.
        let steps = self.parts.iter_mut().map(async |part| {
            part.send(&request, &[]).await?;
            part.stepped().await
        });
        let mut tables: BTreeMap<String, Vec<Delta>> = BTreeMap::new();
        for (changes, row_errors) in self.runtime.block_on(try_join_all(steps))? {
            changes.into_iter().for_each(|(table, delta)| tables.entry(table).or_default().push(delta));
            row_errors.into_iter().for_each(|(message, rows)| *self.row_errors.entry(message).or_default() += rows);
        }
        let merged = tables.into_iter().map(|(table, deltas)| {
            let schema = deltas[0].batch.schema();
            let failed = |error: chimera_sql::EngineError| Error::Failed { host: "of this process".into(), message: error.to_string() };
            Ok(Output { table, changes: merge(deltas, &schema).map_err(failed)? })
        });
        merged.filter(|output| output.as_ref().map_or(true, |output| !output.changes.is_empty())).collect()
    }

    /// Whether all parts are still there, as far as can be seen without asking them for anything.
    pub fn check(&mut self) -> Result<(), Error> {
        self.runtime.block_on(try_join_all(self.parts.iter_mut().map(Part::check))).map(drop)
    }

    pub fn take_row_errors(&mut self) -> Vec<RowError> {
        std::mem::take(&mut self.row_errors).into_iter().map(|(message, count)| RowError { message, count }).collect()
    }

    /// Makes the state of all parts durable, under one name.
    pub fn checkpoint(&mut self) -> Result<Uuid, Error> {
        let name = Uuid::now_v7();
        let checkpoints = self.parts.iter_mut().map(async |part| {
            part.send(&Request::Checkpoint(name), &[]).await?;
            part.checkpointed().await
        });
        self.runtime.block_on(try_join_all(checkpoints))?;
        Ok(name)
    }

    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}
