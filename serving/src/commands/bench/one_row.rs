//! One row when nothing else happens: a product's price changes, and search answers with it.

use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::platform::Platform;
use super::report::{OneRow, Quantiles};
use crate::commands::instance::Operator;
use crate::commands::ui;

const PIPELINE: &str = "search_index";
const CHANGES: usize = 200;
/// Between two changes: each finds everything idle.
const PAUSE: Duration = Duration::from_millis(60);
/// How often search is asked while it does not have the change yet.
const ASK_EVERY: Duration = Duration::from_millis(2);
const AT_MOST: Duration = Duration::from_secs(20);
/// No product of the year is as dear.
const FIRST_PRICE: i32 = 1_000_000_000;

/// Changes the prices of some products, one after another.
pub async fn measure(platform: &Platform) -> anyhow::Result<OneRow> {
    let step = ui::Step::new("One row");
    step.doing(&format!("{CHANGES} products change, one by one"));
    let operator = platform.operator()?;
    let mut catalog = platform.server()?.connect("catalog").await?;
    let skus: Vec<String> = sqlx::query_scalar("SELECT sku FROM products WHERE is_active AND sku ~ '^[0-9A-Za-z]+$' ORDER BY sku LIMIT $1")
        .bind(CHANGES as i64)
        .fetch_all(&mut catalog)
        .await?;
    let (mut fsyncs, mut commits, mut steps, mut visible) = (vec![], vec![], vec![], vec![]);
    for (sku, price) in skus.iter().zip(FIRST_PRICE..) {
        tokio::time::sleep(PAUSE).await;
        fsyncs.push(milliseconds(fsync(platform)?));
        let began = Instant::now();
        commit(&mut catalog, sku, price).await?;
        commits.push(milliseconds(began.elapsed()));
        // The clock began before the commit: search may have it before the answer to that is here.
        wait(&operator, sku, price).await?;
        visible.push(milliseconds(began.elapsed()));
        steps.push(step_ms(&operator).await?);
    }
    catalog.close().await?;
    let rows = steps.len();
    anyhow::ensure!(rows > 0, "the catalogue has no products to change");
    let [fsync, commit, step_in, visible] = [fsyncs, commits, steps, visible].map(Quantiles::of);
    step.done(format!("{rows} changes"));
    Ok(OneRow { rows, fsync, commit, step: step_in, visible })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The reference: a page written and synced to the same disk.
fn fsync(platform: &Platform) -> anyhow::Result<Duration> {
    let path = platform.folder().join("page");
    let mut file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    let began = Instant::now();
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&[7; 4096])?;
    file.sync_data()?;
    Ok(began.elapsed())
}

async fn commit(catalog: &mut PgConnection, sku: &str, price: i32) -> anyhow::Result<()> {
    let changed =
        sqlx::query("UPDATE products SET base_price_cents = $2 WHERE sku = $1").bind(sku).bind(price).execute(&mut *catalog).await?;
    anyhow::ensure!(changed.rows_affected() == 1, "product {sku} is gone");
    Ok(())
}

/// Asks search for the product until it has this price.
async fn wait(operator: &Operator, sku: &str, price: i32) -> anyhow::Result<()> {
    let deadline = Instant::now() + AT_MOST;
    let path = format!("/api/v1/search?q={sku}&min_price={price}&limit=1");
    loop {
        let answer = operator.get(&path).await?;
        if answer["hits"].as_array().is_some_and(|hits| hits.iter().any(|hit| hit["sku"] == sku && hit["price_cents"] == price)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("search does not have the new price of product {sku} after {} s", AT_MOST.as_secs());
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// How long the pipeline took for its last epoch with rows.
async fn step_ms(operator: &Operator) -> anyhow::Result<f64> {
    let answer = operator.get("/api/v1/pipelines").await?;
    let pipeline = answer["pipelines"].as_array().into_iter().flatten().find(|pipeline| pipeline["name"] == PIPELINE);
    let step_us = pipeline.and_then(|pipeline: &Value| pipeline["step_us"].as_f64());
    Ok(step_us.with_context(|| format!("the server does not tell how long {PIPELINE} takes"))? / 1e3)
}
