//! Where products stand in the catalogue, for many of them at once.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::brands::Brand;
use crate::api::problem::Result;

#[derive(Clone, Debug)]
pub struct Shelf {
    pub is_active: bool,
    pub category_id: Option<Uuid>,
    pub brand: Option<Brand>,
    /// Of its pictures, in their order.
    pub image_ids: Vec<Uuid>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Category {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// Which it stands directly below.
    pub parent_id: Option<Uuid>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    is_active: bool,
    category_id: Option<Uuid>,
    brand_id: Option<Uuid>,
    brand_name: Option<String>,
    brand_description: Option<String>,
    image_ids: Vec<Uuid>,
}

/// By product.
pub async fn shelves(catalog: &PgPool, products: &[Uuid]) -> Result<HashMap<Uuid, Shelf>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT p.id, is_active, category_id, brand_id, b.name AS brand_name, b.description AS brand_description,
             ARRAY(SELECT i.id FROM product_images i WHERE i.product_id = p.id ORDER BY i.position, i.id) AS image_ids
         FROM products p LEFT JOIN brands b ON b.id = brand_id WHERE p.id = ANY($1)",
    )
    .bind(products)
    .fetch_all(catalog)
    .await?;
    let shelf = |row: Row| {
        let brand = row.brand_id.zip(row.brand_name).map(|(id, name)| Brand { id, name, description: row.brand_description });
        (row.id, Shelf { is_active: row.is_active, category_id: row.category_id, brand, image_ids: row.image_ids })
    };
    Ok(rows.into_iter().map(shelf).collect())
}

/// By their ids.
pub async fn categories(catalog: &PgPool, ids: &[Uuid]) -> Result<HashMap<Uuid, Category>> {
    let found: Vec<Category> =
        sqlx::query_as("SELECT id, name, description, parent_id FROM categories WHERE id = ANY($1)").bind(ids).fetch_all(catalog).await?;
    Ok(found.into_iter().map(|category| (category.id, category)).collect())
}

pub async fn brand(catalog: &PgPool, id: Uuid) -> Result<Option<Brand>> {
    Ok(sqlx::query_as("SELECT id, name, description FROM brands WHERE id = $1").bind(id).fetch_optional(catalog).await?)
}
