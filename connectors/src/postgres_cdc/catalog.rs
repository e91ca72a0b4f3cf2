//! What the reader asks PostgreSQL's catalogue, and the publication and slot that it keeps there.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, PgPool, Row};

use super::Options;
use super::column_type::ColumnType;
use super::error::{Error, Result};
use super::pgoutput::{Relation, RelationColumn};
use super::table::{Column, Table};

/// The slot as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub database: String,
    pub lost: bool,
    /// What PostgreSQL was told to be durable.
    pub confirmed_lsn: u64,
}

/// A table that the snapshot copies.
pub(super) struct Copy {
    pub table: Table,
    /// `COPY (SELECT …) TO STDOUT`.
    pub statement: String,
}

pub(super) struct Catalog {
    pool: PgPool,
    service: String,
    /// Types that are not built in: enums, domains, extensions' types.
    types: HashMap<u32, ColumnType>,
}

impl Catalog {
    pub(super) fn new(pool: PgPool, service: &str) -> Self {
        Self { pool, service: service.to_owned(), types: HashMap::new() }
    }

    /// Refuses a server that does not keep what decoding needs; returns how far its WAL has come.
    pub(super) async fn check_server(&self) -> Result<u64> {
        let row =
            sqlx::query("SELECT current_setting('wal_level'), (pg_current_wal_flush_lsn() - '0/0')::bigint").fetch_one(&self.pool).await?;
        let level: String = row.try_get(0)?;
        if level != "logical" {
            return Err(Error::WalLevel { level });
        }
        Ok(row.try_get::<i64, _>(1)? as u64)
    }

    /// Makes the publication if it is missing. Tables may be added only as long as no snapshot was taken (`may_add`).
    pub(super) async fn ensure_publication(&self, options: &Options, database: &str, may_add: bool) -> Result<()> {
        let name = &options.publication;
        for table in &options.tables {
            let found: Option<i32> = sqlx::query_scalar("SELECT 1 WHERE to_regclass($1) IS NOT NULL")
                .bind(quoted_table(table))
                .fetch_optional(&self.pool)
                .await?;
            if found.is_none() {
                return Err(Error::NoSuchTable { table: table.clone(), database: database.to_owned() });
            }
        }
        let exists: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM pg_publication WHERE pubname = $1").bind(name).fetch_optional(&self.pool).await?;
        let quoted = |tables: &[&String]| tables.iter().map(|table| quoted_table(table)).collect::<Vec<_>>().join(", ");
        if exists.is_none() {
            let tables = quoted(&options.tables.iter().collect::<Vec<_>>());
            let create = format!("CREATE PUBLICATION {} FOR TABLE {tables} WITH (publish = 'insert, update, delete')", quoted_name(name));
            sqlx::query(AssertSqlSafe(create)).execute(&self.pool).await?;
            return Ok(());
        }
        let published: Vec<String> =
            sqlx::query_scalar("SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = $1")
                .bind(name)
                .fetch_all(&self.pool)
                .await?;
        let missing: Vec<&String> = options.tables.iter().filter(|table| !published.contains(table)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !may_add {
            let missing = missing.iter().map(|table| table.as_str()).collect::<Vec<_>>().join(", ");
            let (publication, slot, service) = (name.clone(), options.slot.clone(), options.service.clone());
            return Err(Error::NotPublished { publication, missing, slot, service });
        }
        let alter = format!("ALTER PUBLICATION {} ADD TABLE {}", quoted_name(name), quoted(&missing));
        sqlx::query(AssertSqlSafe(alter)).execute(&self.pool).await?;
        Ok(())
    }

    pub(super) async fn slot(&self, name: &str) -> Result<Option<Slot>> {
        let sql = "SELECT COALESCE(database, ''), COALESCE(wal_status = 'lost', false), COALESCE(confirmed_flush_lsn - '0/0', 0)::bigint \
                   FROM pg_replication_slots WHERE slot_name = $1";
        let Some(row) = sqlx::query(sql).bind(name).fetch_optional(&self.pool).await? else { return Ok(None) };
        Ok(Some(Slot { database: row.try_get(0)?, lost: row.try_get(1)?, confirmed_lsn: row.try_get::<i64, _>(2)? as u64 }))
    }

    pub(super) async fn drop_slot(&self, name: &str) -> Result<()> {
        sqlx::query("SELECT pg_drop_replication_slot($1)").bind(name).execute(&self.pool).await?;
        Ok(())
    }

    /// An empty transaction that comes through the stream.
    pub(super) async fn emit_heartbeat(pool: &PgPool) -> Result<()> {
        sqlx::query("SELECT pg_logical_emit_message(true, $1, '')").bind(super::HEARTBEAT_PREFIX).execute(pool).await?;
        Ok(())
    }

    /// Describes a table that the stream announced.
    pub(super) async fn describe(&mut self, relation: &Relation, topic: usize) -> Result<Table> {
        let sql = "SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
                   WHERE i.indrelid = $1::bigint::oid AND CASE WHEN $2 THEN i.indisreplident ELSE i.indisprimary END ORDER BY k.place";
        // Where an index was chosen to identify rows, old rows have its columns alone.
        let by_index = relation.replica_identity == b'i';
        let key_names: Vec<String> = sqlx::query_scalar(sql).bind(i64::from(relation.oid)).bind(by_index).fetch_all(&self.pool).await?;
        let place = |name: &String| relation.columns.iter().position(|column| column.name == *name);
        let mut key: Vec<usize> = key_names.iter().filter_map(place).collect();
        if key.len() != key_names.len() {
            key.clear();
        }
        let has_whole_old_rows = relation.replica_identity == b'f';
        if !has_whole_old_rows {
            tracing::info!(
                service = self.service,
                table = relation.name,
                "updates and deletes will not say what the row was before: ALTER TABLE {}.{} REPLICA IDENTITY FULL",
                relation.schema,
                relation.name
            );
        }
        let mut columns = Vec::with_capacity(relation.columns.len());
        for column in &relation.columns {
            columns.push(Column::new(&column.name, self.column_type(column.type_oid, column.type_modifier).await?));
        }
        Ok(Table { topic, schema: relation.schema.clone(), name: relation.name.clone(), columns, key, has_whole_old_rows })
    }

    /// How a type's text becomes JSON: built-in types are known, domains are what they are made of, arrays have elements, the rest is text.
    async fn column_type(&mut self, oid: u32, modifier: i32) -> Result<ColumnType> {
        if let Some(known) = ColumnType::builtin(oid, modifier).or_else(|| self.types.get(&oid).cloned()) {
            return Ok(known);
        }
        let sql = "SELECT typtype::text, typcategory::text, typbasetype::bigint, typelem::bigint, typtypmod FROM pg_type \
                   WHERE oid = $1::bigint::oid";
        let kind = match sqlx::query(sql).bind(i64::from(oid)).fetch_optional(&self.pool).await? {
            Some(row) => {
                let (kind, category): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let (base, element): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
                if kind == "d" {
                    Box::pin(self.column_type(base as u32, row.try_get(4)?)).await?
                } else if category == "A" && element != 0 {
                    ColumnType::Array(Box::new(Box::pin(self.column_type(element as u32, -1)).await?))
                } else {
                    ColumnType::Text
                }
            }
            None => ColumnType::Text,
        };
        self.types.insert(oid, kind.clone());
        Ok(kind)
    }

    /// The tables to copy, with the columns and rows that the stream will have.
    pub(super) async fn copies(&mut self, options: &Options) -> Result<Vec<Copy>> {
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int").fetch_one(&self.pool).await?;
        let filters = if version >= 150_000 { "p.attnames::text[], p.rowfilter" } else { "NULL::text[], NULL::text" };
        let mut copies = Vec::with_capacity(options.tables.len());
        for (nth, name) in options.tables.iter().enumerate() {
            let sql = format!(
                "SELECT c.oid::bigint, p.schemaname::text, p.tablename::text, c.relreplident::text, {filters} FROM pg_publication_tables p \
                 JOIN pg_class c ON c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass \
                 WHERE p.pubname = $1 AND c.oid = to_regclass($2)"
            );
            let row = sqlx::query(AssertSqlSafe(sql)).bind(&options.publication).bind(quoted_table(name)).fetch_one(&self.pool).await?;
            let (published, filter): (Option<Vec<String>>, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
            let identity: String = row.try_get(3)?;
            let mut relation = Relation {
                oid: row.try_get::<i64, _>(0)? as u32,
                schema: row.try_get(1)?,
                name: row.try_get(2)?,
                replica_identity: identity.bytes().next().unwrap_or(b'd'),
                columns: Vec::new(),
            };
            let sql = "SELECT attname::text, atttypid::bigint, atttypmod FROM pg_attribute \
                       WHERE attrelid = $1::bigint::oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum";
            for row in sqlx::query(sql).bind(i64::from(relation.oid)).fetch_all(&self.pool).await? {
                let name: String = row.try_get(0)?;
                if published.as_ref().is_none_or(|published| published.contains(&name)) {
                    let (type_oid, type_modifier) = (row.try_get::<i64, _>(1)? as u32, row.try_get(2)?);
                    relation.columns.push(RelationColumn { name, type_oid, type_modifier });
                }
            }
            let columns = relation.columns.iter().map(|column| quoted_name(&column.name)).collect::<Vec<_>>().join(", ");
            let filter = filter.map_or(String::new(), |filter| format!(" WHERE {filter}"));
            let from = format!("{}.{}", quoted_name(&relation.schema), quoted_name(&relation.name));
            let statement = format!("COPY (SELECT {columns} FROM {from}{filter}) TO STDOUT");
            copies.push(Copy { table: self.describe(&relation, nth + 1).await?, statement });
        }
        Ok(copies)
    }
}

fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `public.orders` as `"public"."orders"`.
fn quoted_table(table: &str) -> String {
    table.splitn(2, '.').map(quoted_name).collect::<Vec<_>>().join(".")
}
