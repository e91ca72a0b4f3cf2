//! `POST /api/v1/visual-search`.

use std::collections::HashSet;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::picture::Picture;
use super::{IMAGES, INDEX};
use crate::api::extract::Params;
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::products::{DOCUMENTS, Product};
use crate::api::state::App;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VisualQuery {
    /// How many products, 1 to 50; 12 if not given.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

/// A form with a picture.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)]
pub struct PictureForm {
    /// JPEG or PNG, at most 8 MiB.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct VisualResults {
    pub hits: Vec<VisualHit>,
    pub meta: Meta,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct VisualHit {
    #[serde(flatten)]
    pub product: Product,
    /// 0 to 1; 1 is the same picture.
    pub similarity: f32,
}

/// Products that look like a picture.
#[utoipa::path(post, path = "/api/v1/visual-search", tag = "search", params(VisualQuery, AfterQuery),
    request_body(content((PictureForm = "multipart/form-data"), (Picture = "image/jpeg"), (Picture = "image/png"))),
    responses((status = 200, body = VisualResults), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422,
        body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody)))]
pub async fn visual_search(State(app): State<App>, params: Params<VisualQuery>, Picture(picture): Picture) -> Result<Response> {
    let limit = limit(params.query.limit, 12, 50)?;
    let tower = app.image_tower.clone().ok_or_else(|| Problem::new(&kinds::NO_IMAGE_MODEL, "This server runs without an image model."))?;
    let freshness = app.fresh(&[IMAGES, DOCUMENTS], &params.after).await?;
    let index = app.connectors.vectors.get(INDEX);
    let index = index.ok_or_else(|| {
        Problem::new(&kinds::STORE_NOT_READY, "The index of pictures is not open yet.").with("store", IMAGES).retry_after(2)
    })?;
    // Looking at a picture keeps a core busy and takes memory: a few at a time, the others wait for their turn.
    let _turn = app.pictures.acquire().await.map_err(Problem::internal)?;
    let found = tokio::task::spawn_blocking(move || {
        let vector = tower.embed(&picture)?;
        // Products have several pictures each.
        Ok::<_, Problem>(index.search(&vector, 4 * limit, None)?)
    });
    let found = found.await.map_err(Problem::internal)??;
    let mut seen = HashSet::new();
    let mut best: Vec<(Uuid, f32)> = Vec::new();
    for hit in found {
        let id = hit.payload["product_id"].as_str().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| Problem::internal(format!("a picture without a product: {}", hit.payload)))?;
        if seen.insert(id) {
            best.push((id, hit.similarity.clamp(0.0, 1.0)));
        }
    }
    let ids: Vec<Uuid> = best.iter().map(|(id, _)| *id).collect();
    let products = app.products(&ids).await?;
    let hits = products.into_iter().zip(best).filter_map(|(product, (_, similarity))| Some(VisualHit { product: product?, similarity }));
    let hits = hits.take(limit).collect();
    Ok(freshness.respond(&VisualResults { hits, meta: freshness.meta.clone() }))
}
