//! `GET /healthz` and `GET /readyz`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use serde::Serialize;
use sqlx::PgPool;

use super::state::App;

const CHECK_AT_MOST: Duration = Duration::from_secs(2);

#[derive(Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok` or `failing`.
    pub status: &'static str,
    pub checks: Vec<Check>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
}

/// Whether the process lives: answers as long as it can answer at all.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = Health)))]
pub async fn healthz() -> axum::Json<Health> {
    axum::Json(Health { status: "ok", checks: Vec::new() })
}

/// Whether requests can be served: databases and stores answer, and no store stands still.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200, body = Health), (status = 503,
        description = "not now", body = Health)))]
pub async fn readyz(State(app): State<App>) -> Response {
    let orders = join_all(app.databases.shards.all().iter().map(|shard| database(&shard.pool)));
    let (catalog, orders, inventory, redis) =
        tokio::join!(database(&app.databases.catalog), orders, database(&app.databases.inventory), redis(&app));
    let orders = orders.into_iter().all(|ok| ok);
    let stores = app.stores.stores();
    let engine = !stores.is_empty() && stores.iter().all(|store| store.error.is_none());
    let checks = [("catalog", catalog), ("orders", orders), ("inventory", inventory), ("redis", redis), ("stores", engine)];
    let checks: Vec<Check> = checks.into_iter().map(|(name, ok)| Check { name, ok }).collect();
    let ok = checks.iter().all(|check| check.ok);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(Health { status: if ok { "ok" } else { "failing" }, checks })).into_response()
}

async fn database(pool: &PgPool) -> bool {
    matches!(tokio::time::timeout(CHECK_AT_MOST, sqlx::query("SELECT 1").execute(pool)).await, Ok(Ok(_)))
}

async fn redis(app: &App) -> bool {
    let mut connection = app.redis.clone();
    let ping = redis::cmd("PING");
    matches!(tokio::time::timeout(CHECK_AT_MOST, ping.query_async::<String>(&mut connection)).await, Ok(Ok(_)))
}
