//! `GET /api/v1/products/{id}`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::{DOCUMENTS, Product};
use crate::api::extract::{NoQuery, Params, Path};
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct ProductResponse {
    pub product: Product,
    pub meta: Meta,
}

/// One product.
#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "products",
    params(("id" = Uuid, Path, description = "the product's id"), AfterQuery),
    responses((status = 200, body = ProductResponse), (status = 404, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn get_product(State(app): State<App>, Path(id): Path<Uuid>, params: Params<NoQuery>) -> Result<Response> {
    let freshness = app.fresh(&[DOCUMENTS], &params.after).await?;
    let product = app.product(id).await?.ok_or_else(|| not_found(id))?;
    Ok(freshness.respond(&ProductResponse { product, meta: freshness.meta.clone() }))
}

pub(super) fn not_found(id: Uuid) -> Problem {
    Problem::new(&kinds::PRODUCT_NOT_FOUND, format!("No active product has the id {id}."))
}
