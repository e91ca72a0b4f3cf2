//! `GET /api/v1/products/{id}/related`: what is bought together with a product, then what is looked at together with it.

use std::collections::HashSet;

use axum::extract::State;
use axum::response::Response;
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DOCUMENTS, Product, SKU_IDS, get::not_found};
use crate::api::extract::{Params, Path};
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::limit::limit;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

pub const BY_PURCHASE: &str = "co_purchase.related_by_purchase";
pub const BY_VIEW: &str = "co_view.related_by_view";

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RelatedQuery {
    /// How many items, 1 to 20; 8 if not given.
    #[param(minimum = 1, maximum = 20)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RelatedResponse {
    pub items: Vec<RelatedItem>,
    pub meta: Meta,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RelatedItem {
    #[serde(flatten)]
    pub product: Product,
    /// Orders (or sessions) that had both.
    pub score: f64,
    pub reason: RelatedReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelatedReason {
    BoughtTogether,
    ViewedTogether,
}

impl RelatedReason {
    /// The key of the sorted set of this SKU's neighbours.
    pub fn key(self, sku: &str) -> String {
        match self {
            Self::BoughtTogether => format!("related:purchase:{sku}"),
            Self::ViewedTogether => format!("related:view:{sku}"),
        }
    }
}

/// Products that go with this one, the strongest first.
#[utoipa::path(get, path = "/api/v1/products/{id}/related", tag = "products",
    params(("id" = Uuid, Path, description = "the product's id"), RelatedQuery, AfterQuery),
    responses((status = 200, body = RelatedResponse), (status = 404, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn related_products(State(app): State<App>, Path(id): Path<Uuid>, params: Params<RelatedQuery>) -> Result<Response> {
    let limit = limit(params.query.limit, 8, 20)?;
    let freshness = app.fresh(&[BY_PURCHASE, BY_VIEW, DOCUMENTS, SKU_IDS], &params.after).await?;
    let product = app.product(id).await?.ok_or_else(|| not_found(id))?;
    let mut found = app.neighbours(&product.sku, RelatedReason::BoughtTogether).await?;
    if found.len() < limit {
        found.extend(app.neighbours(&product.sku, RelatedReason::ViewedTogether).await?);
    }
    let mut seen = HashSet::from([product.sku.clone()]);
    found.retain(|(sku, ..)| seen.insert(sku.clone()));
    let skus: Vec<&str> = found.iter().map(|(sku, ..)| sku.as_str()).collect();
    let products = app.products_by_sku(&skus).await?;
    let items = products
        .into_iter()
        .zip(&found)
        .filter_map(|(product, (_, score, reason))| Some(RelatedItem { product: product?, score: *score, reason: *reason }));
    // Neighbours may be variants of one product, or of products that are no longer active.
    let mut ids = HashSet::from([id]);
    let items = items.filter(|item| ids.insert(item.product.id)).take(limit).collect();
    Ok(freshness.respond(&RelatedResponse { items, meta: freshness.meta.clone() }))
}

impl App {
    /// The SKUs next to this one, the strongest first, with their strength.
    pub async fn neighbours(&self, sku: &str, reason: RelatedReason) -> Result<Vec<(String, f64, RelatedReason)>> {
        let members: Vec<(String, f64)> = self.redis.clone().zrevrange_withscores(reason.key(sku), 0, 19).await?;
        Ok(members.into_iter().map(|(sku, score)| (sku, score, reason)).collect())
    }
}
