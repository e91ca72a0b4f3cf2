//! Writes a table.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Row, Transaction};
use uuid::Uuid;

use super::config::PostgresConfig;
use super::statements::text_columns;
use super::table::quote;
use super::{CONNECTOR, failed};
use crate::context::url_for;
use crate::sink::blocking::blocking;
use crate::sink::mark::{not_gone_back, pending};
use crate::sink::merge::{Merged, Merger};
use crate::sink::{Applied, Sink, SinkSpec};
use crate::{Context, EpochChanges, Error, Result};

/// Rows in one statement: its arrays are held in memory here and there.
const ROWS_A_STATEMENT: usize = 10_000;
/// Names the lock under which databases, tables and columns are made: several sinks may start at once.
const SETUP_LOCK: i64 = 0x6368_696d_6572_6101;

struct PostgresSink {
    config: PostgresConfig,
    merger: Arc<Merger>,
    store: String,
    /// Upsert and delete.
    statements: (String, String),
    /// The server's maintenance database, from which the sink's own can be made.
    maintenance_url: String,
    url: String,
    pool: Option<PgPool>,
    /// What the store held when it was last looked at.
    known: Option<Applied>,
}

/// Opens the sink; connects, and makes database and table, when it is first used.
pub fn open(spec: &SinkSpec, context: &Context) -> Result<Box<dyn Sink>> {
    open_at(spec, &context.database_url)
}

/// The same with a server of its own.
pub(crate) fn open_at(spec: &SinkSpec, database_url: &str) -> Result<Box<dyn Sink>> {
    let config = PostgresConfig::new(spec)?;
    let merger = Arc::new(Merger::new(CONNECTOR, spec.schema.clone(), config.table.key.clone())?);
    Ok(Box::new(PostgresSink {
        merger,
        store: format!("{}.{}", spec.pipeline, spec.table),
        statements: (config.table.upsert(), config.table.delete()),
        maintenance_url: url_for(database_url, "postgres")?,
        url: url_for(database_url, &config.database)?,
        config,
        pool: None,
        known: None,
    }))
}

impl PostgresSink {
    async fn pool(&mut self) -> Result<PgPool> {
        if let Some(pool) = &self.pool {
            return Ok(pool.clone());
        }
        let pool = self.connect().await?;
        self.pool = Some(pool.clone());
        Ok(pool)
    }

    async fn connect(&self) -> Result<PgPool> {
        // The URL may hold a password: it stays out of messages.
        let options = PgConnectOptions::from_str(&self.url)
            .map_err(|_| Error::config(CONNECTOR, "the database URL cannot be read"))?
            .application_name("chimera sink")
            // Commits do not wait for the disk, `flush` does: a server that comes back without its last commits is given them again.
            .options([("synchronous_commit", "off"), ("timezone", "UTC"), ("datestyle", "ISO"), ("bytea_output", "hex")]);
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10)).connect_lazy_with(options);
        match self.prepare(&pool).await {
            Err(error) if is_missing_database(&error) => {
                self.create_database().await?;
                self.prepare(&pool).await.map_err(failed)?;
            }
            result => result.map_err(failed)?,
        }
        self.check_columns(&pool).await?;
        Ok(pool)
    }

    async fn create_database(&self) -> Result<()> {
        let mut connection = PgConnection::connect(&self.maintenance_url).await.map_err(failed)?;
        let create = format!("CREATE DATABASE {}", quote(&self.config.database));
        match sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await {
            // Another sink was faster.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
            result => {
                result.map_err(failed)?;
            }
        }
        connection.close().await.map_err(failed)
    }

    /// Makes what is missing: the table of marks, the table, its columns.
    async fn prepare(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut transaction = pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SETUP_LOCK).execute(&mut *transaction).await?;
        let table = &self.config.table;
        let present: Vec<String> = sqlx::query_scalar(COLUMNS).bind(&table.name).fetch_all(&mut *transaction).await?;
        if present.is_empty() {
            execute(&mut transaction, table.create()).await?;
        }
        for column in table.columns.iter().filter(|column| !present.is_empty() && !present.contains(&column.name)) {
            let add = format!("ALTER TABLE {} ADD COLUMN {} {}", quote(&table.name), quote(&column.name), column.sql_type);
            execute(&mut transaction, add).await?;
        }
        let marks = "CREATE TABLE IF NOT EXISTS chimera_applied (store TEXT PRIMARY KEY, incarnation UUID NOT NULL, epoch BIGINT NOT NULL)";
        if !sqlx::query_scalar::<_, bool>("SELECT to_regclass('chimera_applied') IS NOT NULL").fetch_one(&mut *transaction).await? {
            execute(&mut transaction, marks.to_owned()).await?;
        }
        transaction.commit().await
    }

    /// A table that someone else made has to be unique by our key.
    async fn check_columns(&self, pool: &PgPool) -> Result<()> {
        let table = &self.config.table;
        let mut key: Vec<&str> = table.key.iter().map(|&position| table.columns[position].name.as_str()).collect();
        key.sort_unstable();
        let unique: Vec<Vec<String>> = sqlx::query_scalar(UNIQUE_KEYS).bind(&table.name).fetch_all(pool).await.map_err(failed)?;
        if unique.iter().any(|columns| columns.iter().map(String::as_str).eq(key.iter().copied())) {
            return Ok(());
        }
        let message = format!(
            "table {}: {} in database {} is there already, and has no unique key over ({}); rename or drop it, or add the key",
            self.store,
            quote(&table.name),
            self.config.database,
            table.key_names()
        );
        Err(Error::config(CONNECTOR, message))
    }

    async fn write(&self, transaction: &mut Transaction<'_, Postgres>, sql: &str, batch: RecordBatch, columns: Vec<usize>) -> Result<()> {
        let rows = batch.num_rows();
        for from in (0..rows).step_by(ROWS_A_STATEMENT) {
            let (batch, columns) = (batch.clone(), columns.clone());
            let arrays = blocking(CONNECTOR, move || text_columns(&batch, &columns, from, rows.min(from + ROWS_A_STATEMENT))).await?;
            let query = arrays.into_iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), |query, array| query.bind(array));
            query.execute(&mut **transaction).await.map_err(failed)?;
        }
        Ok(())
    }
}

const COLUMNS: &str = "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1";

/// The columns of each unique index, sorted by name.
const UNIQUE_KEYS: &str = "SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\") \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]) \
     WHERE n.nspname = current_schema() AND c.relname = $1 AND i.indisunique AND i.indpred IS NULL AND NOT 0 = ANY (i.indkey::int2[]) \
     GROUP BY i.indexrelid";

async fn execute(transaction: &mut Transaction<'_, Postgres>, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **transaction).await.map(|_| ())
}

fn is_missing_database(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("3D000"))
}

async fn mark(connection: &mut PgConnection, store: &str, sql: &'static str) -> Result<Option<Applied>> {
    let row = sqlx::query(sql).bind(store).fetch_optional(connection).await.map_err(failed)?;
    row.map(|row| {
        let (incarnation, epoch): (Uuid, i64) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        let epoch = u64::try_from(epoch).map_err(|_| Error::corrupt(CONNECTOR, format!("the mark of {store} is epoch {epoch}")))?;
        Ok(Applied { incarnation, epoch })
    })
    .transpose()
}

#[async_trait]
impl Sink for PostgresSink {
    async fn applied(&mut self) -> Result<Option<Applied>> {
        let mut connection = self.pool().await?.acquire().await.map_err(failed)?;
        self.known = mark(&mut connection, &self.store, "SELECT incarnation, epoch FROM chimera_applied WHERE store = $1").await?;
        Ok(self.known)
    }

    async fn reset(&mut self) -> Result<()> {
        let mut transaction = self.pool().await?.begin().await.map_err(failed)?;
        sqlx::query("DELETE FROM chimera_applied WHERE store = $1").bind(&self.store).execute(&mut *transaction).await.map_err(failed)?;
        execute(&mut transaction, format!("TRUNCATE TABLE {}", quote(&self.config.table.name))).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        self.known = None;
        Ok(())
    }

    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()> {
        let pool = self.pool().await?;
        let mut transaction = pool.begin().await.map_err(failed)?;
        let locked = "SELECT incarnation, epoch FROM chimera_applied WHERE store = $1 FOR UPDATE";
        let applied = mark(&mut transaction, &self.store, locked).await?;
        not_gone_back(CONNECTOR, self.known, applied)?;
        let epochs = pending(CONNECTOR, applied, epochs)?;
        let Some(after) = Applied::after(epochs) else { return transaction.rollback().await.map_err(failed) };
        let (merger, owned) = (self.merger.clone(), epochs.to_vec());
        let Merged { upserts, deletes } = blocking(CONNECTOR, move || merger.merge(&owned)).await?;
        let columns = (0..self.config.table.columns.len()).collect();
        self.write(&mut transaction, &self.statements.1, deletes, self.config.table.key.clone()).await?;
        self.write(&mut transaction, &self.statements.0, upserts, columns).await?;
        let epoch = i64::try_from(after.epoch).map_err(|_| Error::corrupt(CONNECTOR, "the epoch's number is too large"))?;
        sqlx::query(
            "INSERT INTO chimera_applied (store, incarnation, epoch) VALUES ($1, $2, $3) \
             ON CONFLICT (store) DO UPDATE SET incarnation = EXCLUDED.incarnation, epoch = EXCLUDED.epoch",
        )
        .bind(&self.store)
        .bind(after.incarnation)
        .bind(epoch)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        self.known = Some(after);
        Ok(())
    }

    /// A commit that waits for the disk takes those before it along.
    async fn flush(&mut self) -> Result<()> {
        let mut transaction = self.pool().await?.begin().await.map_err(failed)?;
        execute(&mut transaction, "SET LOCAL synchronous_commit = on".to_owned()).await.map_err(failed)?;
        let touch = "UPDATE chimera_applied SET epoch = epoch WHERE store = $1 RETURNING incarnation, epoch";
        let applied = mark(&mut transaction, &self.store, touch).await?;
        not_gone_back(CONNECTOR, self.known, applied)?;
        transaction.commit().await.map_err(failed)
    }

    async fn len(&mut self) -> Result<u64> {
        let pool = self.pool().await?;
        let sql = format!("SELECT count(*) FROM {}", quote(&self.config.table.name));
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&pool).await.map_err(failed)?;
        Ok(rows.unsigned_abs())
    }
}
