//! An experiment as evaluations meet it.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use sqlx::types::Json;

use crate::api::problem::Result;

/// What a running experiment does to its flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    pub key: String,
    pub salt: String,
    pub shares: BTreeMap<String, u16>,
    pub window_days: i32,
}

/// Flag, key, salt, shares, days of the window.
type Row = (String, String, String, Json<BTreeMap<String, u16>>, i32);

/// All that run, by the key of their flag.
pub async fn all(connection: &mut PgConnection) -> Result<BTreeMap<String, Running>> {
    let rows: Vec<Row> = sqlx::query_as("SELECT flag_key, key, salt, shares, window_days FROM experiments WHERE status = 'running'")
        .fetch_all(connection)
        .await?;
    let running = |(flag_key, key, salt, Json(shares), window_days)| (flag_key, Running { key, salt, shares, window_days });
    Ok(rows.into_iter().map(running).collect())
}

/// The one that runs on a flag.
pub async fn on_flag(connection: &mut PgConnection, flag_key: &str) -> Result<Option<String>> {
    let key = sqlx::query_scalar("SELECT key FROM experiments WHERE flag_key = $1 AND status = 'running'");
    Ok(key.bind(flag_key).fetch_optional(connection).await?)
}
