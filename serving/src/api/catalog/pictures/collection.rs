//! `/api/v1/catalog/products/{id}/images`.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::picture::{self, CatalogPictures, MAX_PICTURES};
use super::rendition::{Renditions, render};
use super::upload::Upload;
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::catalog::products::product;
use crate::api::catalog::version;
use crate::api::extract::{Body, IfMatch, Json, Path, invalid};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PictureOrder {
    /// All pictures of the product, each once.
    #[schema(max_items = 20)]
    pub image_ids: Vec<Uuid>,
}

impl Body for PictureOrder {
    const MAX_BYTES: usize = 64 * 1024;
}

/// The pictures of a product, in their order.
#[utoipa::path(get, path = "/api/v1/catalog/products/{id}/images", tag = "catalog", params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogPictures), (status = 304, description = "the copy that you have is good"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn list_images(State(app): State<App>, Path(id): Path<Uuid>, headers: HeaderMap) -> Result<Response> {
    // The version before the list: if it changes in between, the tag is the old one, and the next change with it is refused.
    let mut connection = app.databases.catalog.acquire().await?;
    let version = product::find(&mut connection, id).await?.version;
    let images = picture::list(&mut connection, id).await?;
    Ok(version::shown(&headers, version, &CatalogPictures { images, version }))
}

/// Adds a picture behind the others. It is decoded, turned upright and written anew in two sizes: what else the file held is gone.
#[utoipa::path(post, path = "/api/v1/catalog/products/{id}/images", tag = "catalog", params(("id" = Uuid, Path)),
    request_body(content((Upload = "image/jpeg"), (Upload = "image/png"))),
    responses((status = 201, description = "all pictures of the product; `location` is the new one", body = CatalogPictures),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, description = "there are 20", body = ProblemBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn create_image(State(app): State<App>, caller: Caller, Path(product_id): Path<Uuid>, Upload(file): Upload) -> Result<Response> {
    product::find(&mut *app.databases.catalog.acquire().await?, product_id).await?;
    // The turn ends with the work, also if the client has gone away by then.
    let turn = app.pictures.clone().acquire_owned().await.map_err(Problem::internal)?;
    let made = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        render(&file)
    });
    let mut made = made.await.map_err(Problem::internal)??;
    let id = Uuid::now_v7();
    // The object before the row that names it. If nothing comes of the row, the sweep removes the object: whether a commit that broke off
    // came through is not known here.
    app.picture_store.put(id, std::mem::take(&mut made.large)).await?;
    let (written, pictures) = insert(&app, &caller, product_id, id, &made).await?;
    version::created(written, format!("/api/v1/images/{id}"), pictures.version, &pictures)
}

async fn insert(app: &App, caller: &Caller, product_id: Uuid, id: Uuid, made: &Renditions) -> Result<(HeaderMap, CatalogPictures)> {
    let mut write = Write::begin(app, caller).await?;
    product::lock(&mut write, product_id).await?;
    let there: i64 =
        sqlx::query_scalar("SELECT count(*) FROM product_images WHERE product_id = $1").bind(product_id).fetch_one(&mut *write).await?;
    if there >= MAX_PICTURES as i64 {
        return Err(Problem::new(&kinds::TOO_MANY_ENTRIES, format!("The product has {there} pictures; {MAX_PICTURES} are taken.")));
    }
    picture::append(&mut write, product_id, id, made).await?;
    let version = picture::touch(&mut write, product_id).await?;
    let images = picture::list(&mut write, product_id).await?;
    Ok((write.commit().await?, CatalogPictures { images, version }))
}

/// Puts the pictures of a product in an order. The first one stands for the product.
#[utoipa::path(put, path = "/api/v1/catalog/products/{id}/images", tag = "catalog",
    params(("id" = Uuid, Path), ("if-match" = String, Header, description = "the product's ETag")), request_body = PictureOrder,
    responses((status = 200, body = CatalogPictures), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, description = "the product changed meanwhile", body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 428, description = "If-Match is missing", body = ProblemBody)))]
pub async fn put_images(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(order): Json<PictureOrder>,
) -> Result<Response> {
    let mut write = Write::begin(&app, &caller).await?;
    if_match.check(product::lock(&mut write, id).await?.version)?;
    let there: BTreeSet<Uuid> = picture::list(&mut write, id).await?.iter().map(|picture| picture.id).collect();
    let wanted: BTreeSet<Uuid> = order.image_ids.iter().copied().collect();
    if wanted != there || order.image_ids.len() != there.len() {
        return Err(invalid("image_ids", "this does not name each picture of the product once"));
    }
    picture::arrange(&mut write, id, &order.image_ids).await?;
    let version = picture::touch(&mut write, id).await?;
    let images = picture::list(&mut write, id).await?;
    Ok(version::written(StatusCode::OK, write.commit().await?, version, &CatalogPictures { images, version }))
}
