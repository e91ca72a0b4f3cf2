//! `GET /api/v1/inventory/{sku}`.

use axum::extract::State;
use axum::response::Response;
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};

use crate::api::extract::{NoQuery, Params, Path};
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

pub const STOCK: &str = "inventory.stock";

#[derive(Serialize, utoipa::ToSchema)]
pub struct StockResponse {
    #[serde(flatten)]
    pub stock: Stock,
    pub meta: Meta,
}

/// Units of a SKU; `available` = `received` − `sold` + `returned`.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stock {
    pub sku: String,
    pub received: i64,
    pub sold: i64,
    pub returned: i64,
    pub available: i64,
}

/// The stock of one SKU.
#[utoipa::path(get, path = "/api/v1/inventory/{sku}", tag = "inventory",
    params(("sku" = String, Path, description = "a SKU of a product or of a variant"), AfterQuery),
    responses((status = 200, body = StockResponse), (status = 404, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn get_stock(State(app): State<App>, Path(sku): Path<String>, params: Params<NoQuery>) -> Result<Response> {
    let freshness = app.fresh(&[STOCK], &params.after).await?;
    let found = if sku.len() <= 100 { stock(&app, &[&sku]).await?.pop().flatten() } else { None };
    let stock = found.ok_or_else(|| {
        Problem::new(&kinds::SKU_NOT_FOUND, format!("There is no stock record of `{}`.", sku.escape_debug().take(100).collect::<String>()))
    })?;
    Ok(freshness.respond(&StockResponse { stock, meta: freshness.meta.clone() }))
}

/// The stock of these SKUs, in this order; `None` where there is no record.
pub async fn stock<S: AsRef<str>>(app: &App, skus: &[S]) -> Result<Vec<Option<Stock>>> {
    if skus.is_empty() {
        return Ok(vec![]);
    }
    let keys: Vec<String> = skus.iter().map(|sku| format!("stock:{}", sku.as_ref())).collect();
    let rows: Vec<Option<Vec<u8>>> = app.redis.clone().mget(keys).await?;
    rows.iter().map(|json| json.as_deref().map(|json| Ok(serde_json::from_slice(json)?)).transpose()).collect()
}
