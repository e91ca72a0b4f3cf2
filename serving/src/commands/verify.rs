//! `chimera verify`.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use async_trait::async_trait;
use chimera_connectors::Frontier;
use chimera_connectors::dlq::REPLAYED_FROM;
use chimera_connectors::postgres_cdc::HEARTBEAT_PREFIX;
use chimera_sql::Program;
use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::instance::{self, Operator};
use super::{Exit, Output, Settings, table, ui};
use crate::shop::databases::{SOURCES, Server};
use crate::shop::verify::statements::{self, Gives, Statement};
use crate::shop::verify::{self, Click, Dump, Readers, Report, Scratch, Store};

/// Recompute every derived store from the source tables by plain SQL, and report differences
#[derive(Debug, Args)]
#[command(after_help = "\
The source tables are copied into the database `chimera_verify` and each store is computed there by PostgreSQL alone; the engine has no
part in it. The audit trail is replayed: it must lead, change by change, to what the tables hold. Waits first until every store holds what is committed now, so let it run while nothing is written.
Ends with 1 if a store differs.

Examples:
  chimera verify
  chimera verify --store sales.totals --store inventory.stock
  chimera verify --output json | jq '.stores[] | select(.outcome.missing > 0)'")]
pub struct Arguments {
    /// Only this store; may be given several times
    #[arg(long = "store", value_name = "PIPELINE.TABLE")]
    stores: Vec<String>,
    /// How long to wait for the stores to hold everything
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    wait: u64,
    /// Keep the scratch database, to look into differences with psql
    #[arg(long)]
    keep: bool,
}

pub async fn run(settings: &Settings, arguments: &Arguments, output: Output) -> anyhow::Result<()> {
    let server = instance::server(settings)?;
    server.check_shards().await?;
    let operator = Operator::new(settings)?;
    let checks = checks(&arguments.stores)?;

    let step = ui::Step::new("Stores");
    let (clicks, end) = read_clicks(&operator).await?;
    let clicked = Frontier::single("clickstream", end);
    let positions = wait_until_current(&server, &operator, clicked, Duration::from_secs(arguments.wait), &step).await?;
    step.done(format!("hold everything up to {positions}"));

    let step = ui::Step::new("Sources");
    let scratch = Scratch::create(&server).await?;
    let rows = scratch.copy_sources().await?;
    scratch.copy_clicks(&clicks).await?;
    step.done(format!("{rows} rows and {} clicks copied", clicks.len()));

    let redis = redis::Client::open(instance::redis_url(settings)?).context("the Redis address")?;
    let redis = redis.get_multiplexed_async_connection().await.context("cannot connect to Redis")?;
    let mut readers = Readers { server: &server, redis, dump: &operator };
    let mut connection = scratch.connect().await?;
    let mut reports = Vec::new();
    for (store, statement) in &checks {
        let step = ui::Step::new(&store.name);
        let report = match statement {
            Some(Statement { gives: Gives::Rows, sql, .. }) => verify::check(&mut connection, &mut readers, store, sql).await?,
            Some(Statement { gives: Gives::Differences, sql, .. }) => verify::check_history(&mut connection, &readers, store, sql).await?,
            None => Report::skipped(store, "its pipeline has no SELECT for it in verify.sql"),
        };
        step.done(line(&report));
        reports.push(report);
    }
    drop(connection);
    if !arguments.keep {
        scratch.drop().await?;
    }
    print(&reports, output)?;
    if reports.iter().any(Report::is_different) { Err(Exit::Found.into()) } else { Ok(()) }
}

/// The stores of the bundled pipelines, each with the SELECT that checks it.
fn checks(only: &[String]) -> anyhow::Result<Vec<(Store, Option<Statement>)>> {
    let functions = chimera_pipelines::functions(None);
    let mut checks = Vec::new();
    for definition in chimera_pipelines::bundled() {
        let program =
            Program::parse(&definition.sql, &functions).map_err(|error| anyhow::anyhow!("pipeline {}: {error}", definition.name))?;
        let statements = statements::parse(chimera_pipelines::verification(&definition.name).unwrap_or_default());
        for sink in &program.sinks {
            let store = Store::new(&definition.name, sink);
            let statement = statements.iter().find(|statement| statement.stores.contains(&store.name)).cloned();
            checks.push((store, statement));
        }
    }
    for name in only {
        if !checks.iter().any(|(store, _)| store.name == *name) {
            bail!(
                "there is no store `{name}`; there are: {}",
                checks.iter().map(|(store, _)| store.name.as_str()).collect::<Vec<_>>().join(", ")
            );
        }
    }
    checks.retain(|(store, _)| only.is_empty() || only.contains(&store.name));
    Ok(checks)
}

/// Marks the present position in every source database, and waits until each store has passed it and what is `wanted` beside.
async fn wait_until_current(
    server: &Server,
    operator: &Operator,
    mut wanted: Frontier,
    at_most: Duration,
    step: &ui::Step,
) -> anyhow::Result<Frontier> {
    for source in SOURCES.iter().flat_map(|service| server.databases_of(service)) {
        let mut connection = server.connect(source).await?;
        let (high, low): (i64, i64) = sqlx::query_as(
            "WITH mark AS (SELECT pg_logical_emit_message(true, $1, 'verify') - '0/0'::pg_lsn AS at)
             SELECT div(at, 4294967296)::bigint, mod(at, 4294967296)::bigint FROM mark",
        )
        .bind(HEARTBEAT_PREFIX)
        .fetch_one(&mut connection)
        .await
        .with_context(|| format!("cannot mark the position of database {source}"))?;
        wanted.advance(source, (high.unsigned_abs() << 32) | low.unsigned_abs());
    }
    let deadline = Instant::now() + at_most;
    loop {
        let answer = operator.get("/api/v1/stores").await?;
        let mut behind = Vec::new();
        for store in answer["stores"].as_array().context("the server did not list its stores")? {
            let frontier: Frontier = serde_json::from_value(store["frontier"].clone()).context("a store's frontier")?;
            let sources: Vec<String> = serde_json::from_value(store["sources"].clone()).context("a store's sources")?;
            if !frontier.covers(&wanted, &sources) {
                behind.push(store["store"].as_str().unwrap_or("?").to_owned());
            }
        }
        if behind.is_empty() {
            return Ok(wanted);
        }
        if Instant::now() > deadline {
            bail!(
                "after {} s these stores do not yet hold what is committed: {}; see `chimera status`",
                at_most.as_secs(),
                behind.join(", ")
            );
        }
        step.doing(&format!("waiting for {}", behind.join(", ")));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// All clicks, and the offset after the last. What is not a click is in the dead-letter queue and in no store; one that came again from there
/// was counted where it stood first.
async fn read_clicks(operator: &Operator) -> anyhow::Result<(Vec<Click>, u64)> {
    let mut clicks = Vec::new();
    let mut next = 0;
    loop {
        let page = operator.get(&format!("/api/v1/topics/clickstream/records?from={next}&limit=5000")).await?;
        let records = page["records"].as_array().context("the server did not give the clicks")?;
        for record in records.iter().filter(|record| record["headers"].get(REPLAYED_FROM).is_none()) {
            clicks.extend(record["value"].as_str().and_then(|value| serde_json::from_str::<Click>(value).ok()));
        }
        match page["next_offset"].as_u64() {
            Some(after) if !records.is_empty() && after > next => next = after,
            _ => return Ok((clicks, next)),
        }
    }
}

#[async_trait]
impl Dump for Operator {
    async fn rows(&self, store: &Store) -> Result<Vec<Map<String, Json>>, String> {
        let index = store.options.get("index").map(|index| format!("?index={index}")).unwrap_or_default();
        let answer = self.get(&format!("/api/v1/stores/{}/rows{index}", store.name)).await.map_err(|error| format!("{error:#}"))?;
        let Json::Array(rows) = answer["rows"].clone() else { return Err("its answer has no rows".to_owned()) };
        Ok(rows.into_iter().filter_map(|row| if let Json::Object(row) = row { Some(row) } else { None }).collect())
    }
}

fn line(report: &Report) -> String {
    match (&report.outcome, &report.skipped) {
        (Some(outcome), _) if outcome.is_equal() => format!("{} rows, equal", outcome.expected_rows),
        (Some(outcome), _) => {
            ui::red(&format!("{} missing, {} unexpected, {} changed", outcome.missing, outcome.unexpected, outcome.changed))
        }
        (None, why) => format!("not compared: {}", why.as_deref().unwrap_or("")),
    }
}

fn print(reports: &[Report], output: Output) -> anyhow::Result<()> {
    let different = reports.iter().filter(|report| report.is_different()).count();
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&json!({ "equal": different == 0, "stores": reports }))?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = reports
        .iter()
        .map(|report| {
            let count =
                |of: fn(&verify::Outcome) -> u64| report.outcome.as_ref().map_or_else(|| "-".to_owned(), |outcome| of(outcome).to_string());
            let state = if report.is_different() {
                "DIFFERENT"
            } else if report.outcome.is_some() {
                "equal"
            } else {
                "not compared"
            };
            vec![
                report.store.clone(),
                report.connector.clone(),
                count(|outcome| outcome.expected_rows),
                count(|outcome| outcome.found_rows),
                count(|outcome| outcome.missing),
                count(|outcome| outcome.unexpected),
                count(|outcome| outcome.changed),
                state.to_owned(),
            ]
        })
        .collect();
    println!("{}", table::render(&["store", "kept in", "expected", "found", "missing", "unexpected", "changed", "result"], &rows));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let differences: Vec<Vec<String>> = reports
        .iter()
        .flat_map(|report| report.outcome.iter().flat_map(|outcome| &outcome.first).map(move |difference| (report, difference)))
        .map(|(report, difference)| {
            vec![
                report.store.clone(),
                difference.key.clone(),
                difference.column.clone().unwrap_or_else(|| "(row)".to_owned()),
                text(&difference.expected),
                text(&difference.found),
            ]
        })
        .collect();
    if !differences.is_empty() {
        println!("\nFirst differences:\n{}", table::render(&["store", "key", "column", "expected", "found"], &differences));
    }
    Ok(())
}
