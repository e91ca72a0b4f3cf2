//! `/api/v1/catalog/products/{id}/variants`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use sqlx::types::Json as Jsonb;
use uuid::Uuid;

use super::variant::{COLUMNS, CatalogVariant, NewCatalogVariant};
use crate::api::access::Caller;
use crate::api::catalog::products::product;
use crate::api::catalog::refused::refused;
use crate::api::catalog::{Write, skus, version};
use crate::api::extract::{Json, Path};
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::state::App;

/// Of one product.
pub const MAX_VARIANTS: i64 = 200;

#[derive(Serialize, utoipa::ToSchema)]
pub struct CatalogVariants {
    /// By SKU.
    pub variants: Vec<CatalogVariant>,
}

/// The variants of a product.
#[utoipa::path(get, path = "/api/v1/catalog/products/{id}/variants", tag = "catalog", params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogVariants), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn list_variants(State(app): State<App>, Path(id): Path<Uuid>) -> Result<axum::Json<CatalogVariants>> {
    let mut connection = app.databases.catalog.acquire().await?;
    product::find(&mut connection, id).await?;
    let statement =
        sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM product_variants WHERE product_id = $1 ORDER BY variant_sku LIMIT 1000"));
    Ok(axum::Json(CatalogVariants { variants: sqlx::query_as(statement).bind(id).fetch_all(&mut *connection).await? }))
}

/// Adds a variant to a product.
#[utoipa::path(post, path = "/api/v1/catalog/products/{id}/variants", tag = "catalog", params(("id" = Uuid, Path)), request_body = NewCatalogVariant,
    responses((status = 201, body = CatalogVariant), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, description = "the SKU is taken, or there are 200", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn create_variant(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(new): Json<NewCatalogVariant>,
) -> Result<Response> {
    new.check()?;
    let mut write = Write::begin(&app, &caller).await?;
    skus::claim(&mut write, &new.sku).await?;
    product::find(&mut write, id).await?;
    // Under the lock of the SKUs: nobody else adds one meanwhile.
    let there: i64 =
        sqlx::query_scalar("SELECT count(*) FROM product_variants WHERE product_id = $1").bind(id).fetch_one(&mut *write).await?;
    if there >= MAX_VARIANTS {
        return Err(Problem::new(&kinds::TOO_MANY_ENTRIES, format!("The product has {MAX_VARIANTS} variants.")));
    }
    let statement = sqlx::AssertSqlSafe(format!(
        "INSERT INTO product_variants (id, product_id, variant_sku, attributes, price_cents) VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}"
    ));
    let variant: CatalogVariant = sqlx::query_as(statement)
        .bind(Uuid::now_v7())
        .bind(id)
        .bind(&new.sku)
        .bind(Jsonb(&new.attributes))
        .bind(new.price_cents)
        .fetch_one(&mut *write)
        .await
        .map_err(refused)?;
    let written = write.commit().await?;
    version::created(written, format!("/api/v1/catalog/variants/{}", variant.id), variant.version, &variant)
}
