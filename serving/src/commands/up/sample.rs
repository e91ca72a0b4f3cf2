//! The sample shop, for a catalogue that is empty.

use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use chimera_connectors::log::{Append, Log, Record};
use chrono::Utc;

use super::ui;
use crate::shop::databases::Databases;
use crate::shop::sample;

const CLICKSTREAM: &str = "clickstream";

/// Loads the shop into an empty catalogue, and its clicks into an empty log.
pub async fn load(databases: &Databases, log: &Arc<dyn Log>) -> anyhow::Result<()> {
    let step = ui::Step::new("Sample shop");
    if sample::is_empty(databases).await? {
        step.doing("drawing pictures, writing products and orders");
        let loaded = sample::load(databases, Utc::now()).await?;
        let clicks = load_clicks(log).await?;
        step.done(format!("{} products, {} orders with {} lines, {clicks} clicks", loaded.products, loaded.orders, loaded.order_lines));
        return Ok(());
    }
    // A start that was killed between the two parts.
    let clicks = if sample::is_loaded(databases).await? { load_clicks(log).await? } else { 0 };
    step.done(if clicks > 0 { format!("{clicks} clicks") } else { "not needed: the catalogue has products".to_owned() });
    Ok(())
}

/// All clicks in one append: they are in the log wholly or not at all.
async fn load_clicks(log: &Arc<dyn Log>) -> anyhow::Result<usize> {
    if log.end_offset(CLICKSTREAM, 0).await? > 0 {
        return Ok(0);
    }
    let clicks = sample::clicks(&sample::items(), Utc::now());
    let records = clicks.iter().map(|click| {
        let value = serde_json::to_vec(click).context("a click as JSON")?;
        let key = Bytes::from(click.session_id.clone());
        let record = Record::new(Some(key), Some(Bytes::from(value)), click.at.timestamp_millis());
        Ok(Append { topic: CLICKSTREAM.to_owned(), partition: Some(0), record })
    });
    log.append(records.collect::<anyhow::Result<Vec<_>>>()?).await?;
    Ok(clicks.len())
}
