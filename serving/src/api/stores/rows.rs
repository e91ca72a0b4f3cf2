//! `GET /api/v1/stores/{store}/rows`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::extract::{Params, Path};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RowsQuery {
    /// The index of a search or vector store, as its pipeline names it.
    index: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RowsResponse {
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<Value>,
}

/// Every row of a store that lives in this server: a live view, a search index or a vector index (its rows without the vectors). Other
/// stores are read where they live. Meant for checks, not for pages: the answer is as large as the store.
#[utoipa::path(get, path = "/api/v1/stores/{store}/rows", tag = "operations",
    params(("store" = String, Path, description = "such as `sales.by_minute`"), RowsQuery),
    responses((status = 200, body = RowsResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn store_rows(State(app): State<App>, Path(store): Path<String>, params: Params<RowsQuery>) -> Result<axum::Json<RowsResponse>> {
    let named = store.escape_debug().take(100).collect::<String>();
    let unknown = || Problem::new(&kinds::NOT_FOUND, format!("No store `{named}` with such an index lives in this server."));
    let status = app.stores.store(&store).ok_or_else(unknown)?;
    let (connectors, index) = (app.connectors.clone(), params.query.index.unwrap_or_default());
    let rows = tokio::task::spawn_blocking(move || match status.connector.as_str() {
        "view" => Ok(connectors.views.scan(&status.store, usize::MAX, false)?.map(|(_, rows)| rows)),
        "tantivy" => connectors.search.get(&index).map(|index| index.rows()).transpose(),
        "vector" => connectors.vectors.get(&index).map(|index| index.payloads()).transpose(),
        _ => Ok(None),
    });
    let rows = rows.await.map_err(Problem::internal)?.map_err(Problem::from)?;
    Ok(axum::Json(RowsResponse { rows: rows.ok_or_else(unknown)? }))
}
