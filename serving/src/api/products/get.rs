//! `GET /api/v1/products/{id}`.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::{DOCUMENTS, Product, fallback};
use crate::api::extract::{NoQuery, Params, Path};
use crate::api::freshness::{After, AfterQuery, Freshness, Meta};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Serialize, utoipa::ToSchema)]
pub struct ProductResponse {
    pub product: Product,
    pub meta: Meta,
}

/// A store that does not answer within this is taken as one that cannot be reached.
const PATIENCE: Duration = Duration::from_millis(500);

/// One product. If the store of the documents cannot be reached, the answer comes from the catalogue: the header `chimera-source` says so
/// then, and what the catalogue does not know is `null`.
#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "products",
    params(("id" = Uuid, Path, description = "the product's id"), AfterQuery),
    responses((status = 200, body = ProductResponse), (status = 404, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn get_product(State(app): State<App>, Path(id): Path<Uuid>, params: Params<NoQuery>) -> Result<Response> {
    let (found, freshness) = find(&app, id, &params.after).await?;
    Ok(freshness.map_or_else(|| fallback::respond(&found), |freshness| freshness.respond(&found)))
}

/// The active product of this id. Without a freshness it comes from the catalogue.
pub async fn find(app: &App, id: Uuid, after: &After) -> Result<(ProductResponse, Option<Freshness>)> {
    let freshness = app.fresh(&[DOCUMENTS], after).await?;
    let found = match tokio::time::timeout(PATIENCE, app.product(id)).await {
        Ok(Err(problem)) if problem.kind().name == kinds::UNAVAILABLE.name => {
            return Ok((fallback::find(&app.replica().catalog, id).await?, None));
        }
        Err(_) => return Ok((fallback::find(&app.replica().catalog, id).await?, None)),
        Ok(found) => found?,
    };
    let product = found.ok_or_else(|| not_found(id))?;
    Ok((ProductResponse { product, meta: freshness.meta.clone() }, Some(freshness)))
}

pub(super) fn not_found(id: Uuid) -> Problem {
    Problem::new(&kinds::PRODUCT_NOT_FOUND, format!("No active product has the id {id}."))
}
