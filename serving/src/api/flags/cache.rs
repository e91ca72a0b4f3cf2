//! The flags as every evaluation finds them: in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Mutex;

use super::context::Context;
use super::definition::Definition;
use super::evaluate::{Flag, Outcome, TargetingKeyMissing};
use crate::api::experiments::exposures::Exposures;
use crate::api::experiments::running;
use crate::api::problem::Result;

/// All flags at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Another number stands in the database as soon as anything is changed.
    revision: i64,
    /// Those that are not archived, by key.
    pub flags: BTreeMap<String, Flag>,
}

/// The flags of this server. While the database is away they stay as they were.
pub struct Flags {
    pool: PgPool,
    held: RwLock<Option<Arc<Snapshot>>>,
    /// Of two that look at the database, the later one finds what is newer, and keeps it.
    loading: Mutex<()>,
    pub exposures: Exposures,
}

impl Flags {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, held: RwLock::default(), loading: Mutex::default(), exposures: Exposures::default() }
    }

    /// The flags as they are; loads them if this server has just started.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        if let Some(held) = self.held() {
            return Ok(held);
        }
        self.load_changed().await
    }

    /// Looks whether anything was changed, here or by another server, and takes it over.
    pub async fn refresh(&self) -> Result<()> {
        self.load_changed().await.map(drop)
    }

    /// After a change that was committed: who made it finds it. Were it not to be found now, it would be within a second.
    pub async fn changed(&self) {
        if let Err(problem) = self.refresh().await {
            tracing::warn!(%problem, "a change of the flags is not seen yet");
        }
    }

    /// What a flag is for somebody; notes it, if an experiment decided.
    pub fn evaluate<'a>(&self, flag: &'a Flag, context: &Context) -> Result<Outcome<'a>, TargetingKeyMissing> {
        let outcome = flag.evaluate(context)?;
        if let Some(experiment) = outcome.experiment {
            self.exposures.note(experiment, outcome.variant, context);
        }
        Ok(outcome)
    }

    /// Whether a boolean flag is on for somebody. One that is not there, is of another type or cannot be evaluated is off: what it guards
    /// stays as it was before there was a flag.
    ///
    /// `targeting_key`: the `session_id` or `customer_id` that their clicks carry.
    pub fn is_on(&self, key: &str, targeting_key: &str, attributes: Map<String, Value>) -> bool {
        let Some(held) = self.held() else { return false };
        let Ok(context) = Context::of(targeting_key, attributes) else { return false };
        let outcome = held.flags.get(key).and_then(|flag| self.evaluate(flag, &context).ok());
        outcome.and_then(|outcome| outcome.value) == Some(&Value::Bool(true))
    }

    fn held(&self) -> Option<Arc<Snapshot>> {
        self.held.read().clone()
    }

    async fn load_changed(&self) -> Result<Arc<Snapshot>> {
        let _one_at_a_time = self.loading.lock().await;
        if let Some(held) = self.held()
            && held.revision == revision(&mut *self.pool.acquire().await?).await?
        {
            return Ok(held);
        }
        // One moment for all that is read.
        let mut transaction = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let snapshot = Arc::new(Snapshot { revision: revision(&mut transaction).await?, flags: flags(&mut transaction).await? });
        transaction.commit().await?;
        *self.held.write() = Some(snapshot.clone());
        Ok(snapshot)
    }
}

async fn revision(connection: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT revision FROM flag_revision").fetch_one(connection).await?)
}

async fn flags(connection: &mut PgConnection) -> Result<BTreeMap<String, Flag>> {
    let rows: Vec<(String, i64, String, Value)> =
        sqlx::query_as("SELECT key, version, salt, definition FROM flags WHERE archived_at IS NULL").fetch_all(&mut *connection).await?;
    let mut experiments = running::all(connection).await?;
    let mut flags = BTreeMap::new();
    for (key, version, salt, definition) in rows {
        match serde_json::from_value::<Definition>(definition) {
            Ok(definition) => {
                let experiment = experiments.remove(&key);
                flags.insert(key.clone(), Flag { key, version, salt, definition, experiment });
            }
            // A newer server wrote it; the others are as good as ever.
            Err(error) => tracing::error!(flag = key, %error, "a flag cannot be read, and is left out"),
        }
    }
    Ok(flags)
}
