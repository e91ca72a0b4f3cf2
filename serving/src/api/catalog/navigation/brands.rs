//! `GET /api/v1/brands`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kept;
use crate::api::extract::{Query, text_error};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BrandsQuery {
    /// The `next` of the page before.
    #[param(max_length = 100)]
    after: Option<String>,
    /// 1 to 100; 100 if not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Brands {
    /// By name; those with products on sale.
    pub brands: Vec<Brand>,
    /// For `after`; `null`: there are no more.
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Brand {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
}

/// The brands that the shop sells, a page at a time.
#[utoipa::path(get, path = "/api/v1/brands", tag = "products", params(BrandsQuery),
    responses((status = 200, body = Brands), (status = 304, description = "the copy that you have is good"), (status = 400, body = ProblemBody)))]
pub async fn get_brands(State(app): State<App>, Query(query): Query<BrandsQuery>, headers: HeaderMap) -> Result<Response> {
    let limit = limit(query.limit, 100, 100)?;
    if let Some(fault) = query.after.as_deref().and_then(|after| text_error(after, 100)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("`after`: {fault}.")));
    }
    let mut brands: Vec<Brand> = sqlx::query_as(
        "SELECT id, name, description FROM brands WHERE ($1::text IS NULL OR name > $1)
         AND EXISTS (SELECT FROM products WHERE brand_id = brands.id AND is_active) ORDER BY name LIMIT $2",
    )
    .bind(query.after)
    .bind(limit as i64 + 1)
    .fetch_all(&app.replica().catalog)
    .await?;
    let has_more = brands.len() > limit;
    brands.truncate(limit);
    let next = brands.last().filter(|_| has_more).map(|brand| brand.name.clone());
    kept(&headers, &Brands { brands, next })
}
