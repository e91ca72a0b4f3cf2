//! `GET /api/v1/views/{name}`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ViewDescription, not_found};
use crate::api::extract::{Params, Path};
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ViewQuery {
    /// How many rows, 1 to 10000; 100 if not given.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// By the primary key: `asc` (also if not given) or `desc`.
    #[param(inline)]
    order: Option<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ViewOrder)]
pub enum Order {
    Asc,
    Desc,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ViewResponse {
    #[serde(flatten)]
    pub description: ViewDescription,
    #[schema(value_type = Vec<Object>)]
    pub rows: Vec<Value>,
    pub meta: Meta,
}

/// The rows of a live view.
#[utoipa::path(get, path = "/api/v1/views/{name}", tag = "views",
    params(("name" = String, Path, description = "such as `sales.by_minute`"), ViewQuery, AfterQuery),
    responses((status = 200, body = ViewResponse), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody), (status = 504,
        body = ProblemBody)))]
pub async fn get_view(State(app): State<App>, Path(name): Path<String>, params: Params<ViewQuery>) -> Result<Response> {
    let limit = limit(params.query.limit, 100, 10_000)?;
    let reverse = params.query.order == Some(Order::Desc);
    let view = app.view(&name)?;
    let mut freshness = app.fresh(&[&name], &params.after).await?;
    let wanted = name.clone();
    let (applied, rows) = app.read_views(move |views| views.scan(&wanted, limit, reverse)).await?.ok_or_else(|| not_found(&name))?;
    if let Some(applied) = applied {
        freshness.meta.epoch = applied.epoch;
    }
    let description = ViewDescription::from(view);
    Ok(freshness.respond(&ViewResponse { description, rows, meta: freshness.meta.clone() }))
}
