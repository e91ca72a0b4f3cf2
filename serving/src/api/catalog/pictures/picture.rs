//! The rows of a product's pictures.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rendition::Renditions;
use crate::api::problem::Result;

/// Of one product.
pub const MAX_PICTURES: usize = 20;

#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct CatalogPicture {
    pub id: Uuid,
    /// 0 is the picture that stands for the product.
    pub position: i32,
    /// Of the large rendition; `null`: there is only the preview.
    pub large_width_px: Option<i32>,
    pub large_height_px: Option<i32>,
    pub created_at: DateTime<Utc>,
    /// Where it is, relative to the server; `?size=preview` for the small one.
    pub url: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CatalogPictures {
    /// In their order.
    pub images: Vec<CatalogPicture>,
    /// The product's: what the ETag carries.
    pub version: i64,
}

pub async fn list(connection: &mut PgConnection, product_id: Uuid) -> Result<Vec<CatalogPicture>> {
    let pictures = sqlx::query_as(
        "SELECT id, position, large_width_px, large_height_px, created_at, '/api/v1/images/' || id AS url FROM product_images
         WHERE product_id = $1 ORDER BY position, id LIMIT 1000",
    );
    Ok(pictures.bind(product_id).fetch_all(connection).await?)
}

/// Behind the others.
pub async fn append(connection: &mut PgConnection, product_id: Uuid, id: Uuid, made: &Renditions) -> Result<()> {
    sqlx::query(
        "INSERT INTO product_images (id, product_id, position, media_type, content, large_width_px, large_height_px)
         SELECT $1, $2, coalesce(max(position) + 1, 0), 'image/jpeg', $3, $4, $5 FROM product_images WHERE product_id = $2",
    )
    .bind(id)
    .bind(product_id)
    .bind(&made.preview)
    .bind(made.large_width_px.cast_signed())
    .bind(made.large_height_px.cast_signed())
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives the pictures of a product the positions that they have in `ids`, which names them all. The product's row is locked.
pub async fn arrange(connection: &mut PgConnection, product_id: Uuid, ids: &[Uuid]) -> Result<()> {
    // No two may ever have the same position, also while they change places: first to where nothing is.
    sqlx::query(
        "UPDATE product_images SET position = 1000000 + wanted.place - 1
         FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted(id, place)
         WHERE product_images.product_id = $1 AND product_images.id = wanted.id AND product_images.position <> wanted.place - 1",
    )
    .bind(product_id)
    .bind(ids)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE product_images SET position = position - 1000000 WHERE product_id = $1 AND position >= 1000000")
        .bind(product_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The list of a product's pictures is about to change: raises the product's version, and locks its row. The new version.
pub async fn touch(connection: &mut PgConnection, product_id: Uuid) -> Result<i64> {
    Ok(sqlx::query_scalar("UPDATE products SET updated_at = now() WHERE id = $1 RETURNING version")
        .bind(product_id)
        .fetch_one(connection)
        .await?)
}
