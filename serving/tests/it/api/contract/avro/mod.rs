//! The records of our topics as Avro schemas, in `serving/events`: one of clicks, and one of the rows of each table whose changes are sent (the
//! envelope around `before` and `after` is Debezium's). What is read tomorrow reads what was written today: a schema may change only so that it does.

mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chimera_connectors::log::Log;
use chimera_serving::shop::databases::CAPTURED;
use serde_json::{Value, json};
use sqlx::PgPool;

use self::schema::{faults, unreadable};
use super::super::server::Server;

/// Set to accept a change, which has to be one that can be read on.
const ACCEPT: &str = "ACCEPT_EVENTS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events")
}

fn kept(name: &str) -> Option<Value> {
    Some(serde_json::from_str(&std::fs::read_to_string(folder().join(name)).ok()?).unwrap())
}

#[derive(sqlx::FromRow)]
struct Column {
    table: String,
    name: String,
    is_nullable: bool,
    kind: String,
    default: Option<String>,
}

/// Of each published table: its columns, as the CDC writes them.
async fn rows(database: &str, pool: &PgPool) -> BTreeMap<String, Value> {
    let columns: Vec<Column> = sqlx::query_as(
        "SELECT t.tablename::text AS table, a.attname::text AS name, NOT a.attnotnull AS is_nullable,
             format_type(a.atttypid, NULL) AS kind, pg_get_expr(d.adbin, d.adrelid) AS default
         FROM pg_publication_tables t
         JOIN pg_attribute a ON a.attrelid = format('%I.%I', t.schemaname, t.tablename)::regclass AND a.attnum > 0 AND NOT a.attisdropped
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE t.pubname = 'chimera' AND a.attname = ANY (t.attnames) ORDER BY t.tablename, a.attnum",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut tables: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for column in columns {
        tables.entry(column.table.clone()).or_default().push(field(&column));
    }
    tables
        .into_iter()
        .map(|(table, fields)| {
            let schema = json!({ "type": "record", "name": "Value", "namespace": format!("{database}.public.{table}"), "fields": fields });
            (format!("{database}.public.{table}.avsc"), schema)
        })
        .collect()
}

fn field(column: &Column) -> Value {
    let kind = match column.kind.as_str() {
        "boolean" => json!("boolean"),
        "smallint" | "integer" => json!("int"),
        "bigint" => json!("long"),
        "real" | "double precision" => json!("double"),
        "date" => json!({ "type": "int", "logicalType": "date" }),
        "timestamp without time zone" => json!({ "type": "long", "logicalType": "timestamp-micros" }),
        "uuid" => json!({ "type": "string", "logicalType": "uuid" }),
        array if array.ends_with("[]") => json!({ "type": "array", "items": "string" }),
        // Moments, decimals, JSON and texts are texts.
        _ => json!("string"),
    };
    if column.is_nullable {
        return json!({ "name": column.name, "type": ["null", kind], "default": null });
    }
    let default = column.default.as_deref().and_then(|text| literal(text, &kind));
    let mut field = json!({ "name": column.name, "type": kind });
    if let Some(default) = default {
        field["default"] = default;
    }
    field
}

/// A default that is a value, and not something to compute.
fn literal(text: &str, kind: &Value) -> Option<Value> {
    let bare = text.split("::").next().unwrap_or(text);
    match kind.as_str()? {
        "boolean" | "int" | "long" => serde_json::from_str(bare.trim_matches('\'')).ok(),
        "string" => Some(Value::from(bare.strip_prefix('\'')?.strip_suffix('\'')?)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_every_published_table_can_be_read_on() {
    let Some(server) = Server::start().await else { return };
    let databases = &server.app.databases;
    let mut now = BTreeMap::new();
    let pools = [
        &databases.catalog,
        &databases.orders,
        &databases.inventory,
        &databases.auth,
        &databases.users,
        &databases.pricing,
        &databases.payments,
        &databases.flags,
        &databases.notifications,
    ];
    for (database, pool) in CAPTURED.into_iter().zip(pools) {
        let rows = rows(database, pool).await;
        assert!(!rows.is_empty(), "nothing of {database} is published");
        now.extend(rows);
    }
    let mut wrong = Vec::new();
    for (name, schema) in &now {
        let before = kept(name);
        let unreadable = before.as_ref().map(|before| unreadable(schema, before)).unwrap_or_default();
        wrong.extend(unreadable.iter().map(|why| format!("{name}: {why}; records that are there cannot be read any more")));
        if before.as_ref() != Some(schema) && unreadable.is_empty() {
            if std::env::var_os(ACCEPT).is_some() {
                std::fs::write(folder().join(name), serde_json::to_string_pretty(schema).unwrap() + "\n").unwrap();
            } else {
                wrong.push(format!("{name} is not what the table is, and older records can be read: accept it with {ACCEPT}=1"));
            }
        }
    }
    for file in std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        if !now.contains_key(&file) && !["clickstream.avsc", "released"].contains(&file.as_str()) {
            wrong.push(format!("{file} is of no table that is published"));
        }
    }
    assert!(wrong.is_empty(), "serving/events:\n  {}", wrong.join("\n  "));
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_are_what_their_schema_says() {
    let Some(server) = Server::start().await else { return };
    let (schema, released) = (kept("clickstream.avsc").unwrap(), kept("released/clickstream.avsc").unwrap());
    let unreadable = unreadable(&schema, &released);
    assert!(unreadable.is_empty(), "clicks that are in the log cannot be read any more: {unreadable:?}");
    assert!(schema == released, "older clicks can be read: accept it with `cp serving/events/clickstream.avsc serving/events/released/`");
    let one = |kind: &str| json!({ "type": kind, "session_id": "s1", "sku": "A", "query": "mug", "customer_id": "c" });
    let bare = json!({ "type": "view", "session_id": "s2", "sku": "A" });
    let events = json!({ "events": [one("view"), one("click"), one("add_to_cart"), one("search"), one("purchase"), bare] });
    let answer = server.post("/api/v1/events", &events).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let log: &dyn Log = &*server.app.log;
    let entries = log.read("clickstream", 0, 0, 100, Duration::ZERO).await.unwrap();
    assert_eq!(entries.len(), 6);
    for entry in entries {
        let record: Value = serde_json::from_slice(entry.record.value.as_ref().unwrap()).unwrap();
        assert!(faults(&schema, &record).is_empty(), "{record}: {:?}", faults(&schema, &record));
    }
}
