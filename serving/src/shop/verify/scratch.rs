//! A database of its own with copies of all source tables, in which the stores are computed anew.

use futures::StreamExt;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqlSafeStr, TypeInfo, ValueRef};

use super::Error;
use super::compare::Column;
use super::value::{Kind, Value};
use crate::shop::databases::{SOURCES, Server};

const DATABASE: &str = "chimera_verify";
/// Clicks a statement.
const CLICKS: usize = 10_000;

/// A click as the log has it. What cannot be read as one is in the dead-letter queue and in no store.
#[derive(Clone, Debug, Deserialize)]
pub struct Click {
    pub event_id: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub session_id: Option<String>,
    pub customer_id: Option<String>,
    pub sku: Option<String>,
    pub query: Option<String>,
    pub occurred_at: Option<String>,
    pub received_at: Option<String>,
    pub experiment: Option<String>,
    pub variant: Option<String>,
    pub window_ends_at: Option<String>,
}

/// The scratch database.
pub struct Scratch<'a> {
    server: &'a Server,
}

impl<'a> Scratch<'a> {
    /// Makes it, in place of an old one.
    pub async fn create(server: &'a Server) -> Result<Self, Error> {
        let scratch = Self { server };
        scratch.drop().await?;
        let mut connection = server.connect("catalog").await?;
        let statement = AssertSqlSafe(format!("CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'"));
        sqlx::raw_sql(statement).execute(&mut connection).await.map_err(Error::query("the scratch database"))?;
        Ok(scratch)
    }

    pub async fn drop(&self) -> Result<(), Error> {
        let mut connection = self.server.connect("catalog").await?;
        let statement = AssertSqlSafe(format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"));
        sqlx::raw_sql(statement).execute(&mut connection).await.map_err(Error::query("to drop the scratch database")).map(drop)
    }

    /// A session that answers in UTC and ISO dates.
    pub async fn connect(&self) -> Result<PgConnection, Error> {
        let mut connection = self.server.connect(DATABASE).await?;
        let settings = "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET jit = off; SET work_mem = '64MB'; SET synchronous_commit = off";
        connection.execute(settings).await.map_err(Error::query("session settings"))?;
        Ok(connection)
    }

    /// Copies the published tables of every source database, each database as of one moment; what is spread over several comes together. Returns the number of rows.
    pub async fn copy_sources(&self) -> Result<u64, Error> {
        let mut rows = 0;
        let mut to = self.connect().await?;
        for database in SOURCES.iter().flat_map(|service| self.server.databases_of(service)) {
            let mut from = self.server.connect(database).await?;
            let refused = || Error::query(format!("a copy of database {database}"));
            let mut snapshot = from.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(refused())?;
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT tablename::text FROM pg_publication_tables WHERE pubname = 'chimera' ORDER BY 1")
                    .fetch_all(&mut *snapshot)
                    .await
                    .map_err(refused())?;
            for table in tables {
                rows += copy_table(&mut snapshot, &mut to, "public", &table).await?;
            }
        }
        to.execute("ANALYZE").await.map_err(Error::query("ANALYZE"))?;
        Ok(rows)
    }

    /// Fills the table `clickstream`.
    pub async fn copy_clicks(&self, clicks: &[Click]) -> Result<(), Error> {
        let mut connection = self.connect().await?;
        let refused = || Error::query("a copy of the clicks");
        connection
            .execute(
                "CREATE TABLE IF NOT EXISTS clickstream (event_id text, type text, session_id text, customer_id text, sku text, query text,
                 occurred_at timestamptz, received_at timestamptz, experiment text, variant text, window_ends_at timestamptz)",
            )
            .await
            .map_err(refused())?;
        for clicks in clicks.chunks(CLICKS) {
            let column = |of: fn(&Click) -> Option<&String>| clicks.iter().map(|click| of(click).map(String::as_str)).collect::<Vec<_>>();
            sqlx::query(
                "INSERT INTO clickstream SELECT e, t, s, c, k, q, o::timestamptz, r::timestamptz, x, v, w::timestamptz
                   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                               $11::text[]) AS u (e, t, s, c, k, q, o, r, x, v, w)",
            )
            .bind(column(|click| click.event_id.as_ref()))
            .bind(column(|click| click.kind.as_ref()))
            .bind(column(|click| click.session_id.as_ref()))
            .bind(column(|click| click.customer_id.as_ref()))
            .bind(column(|click| click.sku.as_ref()))
            .bind(column(|click| click.query.as_ref()))
            .bind(column(|click| click.occurred_at.as_ref()))
            .bind(column(|click| click.received_at.as_ref()))
            .bind(column(|click| click.experiment.as_ref()))
            .bind(column(|click| click.variant.as_ref()))
            .bind(column(|click| click.window_ends_at.as_ref()))
            .execute(&mut connection)
            .await
            .map_err(refused())?;
        }
        connection.execute("ANALYZE clickstream").await.map_err(refused()).map(drop)
    }
}

/// Copies a store that is a table into the schema that has the name of its database; returns the number of rows.
pub(super) async fn copy_store(server: &Server, to: &mut PgConnection, database: &str, table: &str) -> Result<u64, Error> {
    let mut from = server.connect(database).await?;
    let names: (String, String) = sqlx::query_as("SELECT quote_ident($1), quote_ident($2)")
        .bind(database)
        .bind(table)
        .fetch_one(&mut from)
        .await
        .map_err(Error::query(format!("the name of table {table}")))?;
    let schema = AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {}", names.0));
    to.execute(schema).await.map_err(Error::query(format!("the schema {database}")))?;
    let rows = copy_table(&mut from, to, &names.0, &names.1).await?;
    let analyze = AssertSqlSafe(format!("ANALYZE {}.{}", names.0, names.1));
    to.execute(analyze).await.map_err(Error::query("ANALYZE")).map(|_| rows)
}

/// Copies a table without its pictures: no store holds them as they are. `schema` and `table` are identifiers as SQL has them.
async fn copy_table(from: &mut PgConnection, to: &mut PgConnection, schema: &str, table: &str) -> Result<u64, Error> {
    let refused = || Error::query(format!("a copy of table {table}"));
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute
          WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND atttypid <> 'bytea'::regtype ORDER BY attnum",
    )
    .bind(table)
    .fetch_all(&mut *from)
    .await
    .map_err(refused())?;
    let definitions: Vec<String> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
    let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    // Names come from PostgreSQL's own catalogue, quoted by it.
    // It is there already if its rows are spread over several databases.
    let table_definition = AssertSqlSafe(format!("CREATE UNLOGGED TABLE IF NOT EXISTS {schema}.{table} ({})", definitions.join(", ")));
    to.execute(table_definition).await.map_err(refused())?;
    let mut source = from.copy_out_raw(&format!("COPY {table} ({names}) TO STDOUT (FORMAT binary)")).await.map_err(refused())?;
    let mut target = to.copy_in_raw(&format!("COPY {schema}.{table} ({names}) FROM STDIN (FORMAT binary)")).await.map_err(refused())?;
    while let Some(chunk) = source.next().await {
        target.send(chunk.map_err(refused())?).await.map_err(refused())?;
    }
    let rows = target.finish().await.map_err(refused())?;
    drop(source);
    // What the SELECTs look things up by: keys and SKUs.
    for column in ["id", "sku", "order_id", "product_id"] {
        if columns.iter().any(|(name, _)| name == column) {
            let index = AssertSqlSafe(format!("CREATE INDEX IF NOT EXISTS {table}_by_{column} ON {schema}.{table} ({column})"));
            to.execute(index).await.map_err(refused())?;
        }
    }
    Ok(rows)
}

/// Runs a SELECT and reads its rows in PostgreSQL's text form.
pub(super) async fn select(connection: &mut PgConnection, store: &str, sql: &str) -> Result<(Vec<Column>, Vec<Vec<Value>>), Error> {
    let refused = || Error::query(format!("the SELECT of store {store}"));
    let columns = connection.describe(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.map_err(refused())?;
    let columns: Vec<Column> = columns
        .columns()
        .iter()
        .map(|column| Column { name: sqlx::Column::name(column).to_owned(), kind: Kind::of(sqlx::Column::type_info(column).name()) })
        .collect();
    // The simple protocol: every value comes as text. The SELECT is one of the binary's own.
    let mut stream = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch(connection);
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(text_values(&row.map_err(refused())?, &columns).map_err(refused())?);
    }
    Ok((columns, rows))
}

/// The values of a row that came in text form, those of `columns` in their order; a column that is not there is null.
pub(super) fn text_values(row: &sqlx::postgres::PgRow, columns: &[Column]) -> Result<Vec<Value>, sqlx::Error> {
    columns
        .iter()
        .map(|column| {
            let value = match row.try_get_raw(column.name.as_str()) {
                Ok(value) => value,
                Err(sqlx::Error::ColumnNotFound(_)) => return Ok(Value::Null),
                Err(error) => return Err(error),
            };
            if value.is_null() {
                return Ok(Value::Null);
            }
            let text = value.as_str().map_err(sqlx::Error::Decode)?;
            Ok(Value::from_text(column.kind, Some(text)))
        })
        .collect()
}
