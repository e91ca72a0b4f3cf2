//! Seals what is new in the trail.

use std::collections::HashMap;
use std::time::Duration;

use chimera_connectors::log::Log;
use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use tokio::sync::Mutex;

use super::{Change, Seal, TOPIC};
use crate::api::problem::{Problem, Result, kinds};
use crate::shop::databases::Databases;

/// Changes that one seal is about, at most.
const CHANGES: i64 = 1_000;
/// Seals that are read from the log at once.
const SEALS: usize = 5_000;

/// The end of the chain, as far as it was read. Who has the log open is alone with it, so nobody else appends.
#[derive(Default)]
struct Chain {
    next_offset: u64,
    last: Option<Seal>,
    /// The last sealed offset of each topic.
    sealed: HashMap<String, i64>,
}

/// One a process.
#[derive(Default)]
pub struct Sealer(Mutex<Chain>);

impl Sealer {
    /// How often.
    pub const EVERY: Duration = Duration::from_secs(1);

    /// Seals every change that has none. A seal that was appended counts, whatever is killed then: the next run reads it first.
    pub async fn run(&self, databases: &Databases, log: &dyn Log) -> Result<()> {
        let mut chain = self.0.lock().await;
        loop {
            chain.read(log).await?;
            let changes = chain.unsealed(databases).await?;
            let seals = chain.seal(&changes, Utc::now());
            if seals.is_empty() {
                return Ok(());
            }
            log.append(seals.iter().map(Seal::append).collect()).await?;
            metrics::counter!("chimera_audit_changes_sealed_total").increment(changes.len() as u64);
        }
    }
}

impl Chain {
    async fn read(&mut self, log: &dyn Log) -> Result<()> {
        if self.next_offset == 0 {
            log.create_topic(TOPIC, Default::default()).await?;
        }
        loop {
            let entries = log.read(TOPIC, 0, self.next_offset, SEALS, Duration::ZERO).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            let next_offset = last.offset + 1;
            for entry in entries {
                let value = entry.record.value.unwrap_or_default();
                let seal: Seal = serde_json::from_slice(&value).map_err(|error| {
                    let detail = format!("Offset {} of the topic {TOPIC} is no seal ({error}); nothing is sealed any more.", entry.offset);
                    Problem::new(&kinds::INTERNAL, detail)
                })?;
                self.sealed.insert(seal.topic.clone(), seal.to);
                self.last = Some(seal);
            }
            self.next_offset = next_offset;
        }
    }

    /// Changes without a seal: of each topic the first ones.
    async fn unsealed(&self, databases: &Databases) -> Result<Vec<Change>> {
        let topics = super::topics(&databases.shards);
        let sealed: Vec<i64> = topics.iter().map(|topic| self.sealed.get(topic).copied().unwrap_or(-1)).collect();
        let new = AssertSqlSafe(format!(
            "SELECT new.* FROM unnest($1::text[], $2::bigint[]) AS sealed (topic, upto)
               CROSS JOIN LATERAL (SELECT {} FROM audit WHERE audit.topic = sealed.topic AND audit.\"offset\" > sealed.upto
                                   ORDER BY audit.\"offset\" LIMIT $3) AS new
             ORDER BY new.topic, new.\"offset\"",
            Change::COLUMNS
        ));
        Ok(sqlx::query_as(new).bind(topics).bind(sealed).bind(CHANGES).fetch_all(&databases.reporting).await?)
    }

    fn seal(&self, changes: &[Change], now: DateTime<Utc>) -> Vec<Seal> {
        let mut seals: Vec<Seal> = Vec::new();
        for of_topic in changes.chunk_by(|one, next| one.topic == next.topic) {
            seals.extend(Seal::of(of_topic, seals.last().or(self.last.as_ref()), now));
        }
        seals
    }
}
