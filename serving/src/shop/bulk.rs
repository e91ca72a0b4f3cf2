//! Catalogue and stock rows, written many at a time. Rows that are there already (by their stable ids) are left as they are.

use sqlx::PgConnection;
use uuid::Uuid;

use super::stable_id;

/// Rows a statement: large enough that the round trip does not count, small enough for memory.
const ROWS: usize = 2_000;

/// A product as an importer knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub price_cents: i32,
    pub variants: Vec<Variant>,
}

/// Something that a product can be bought as.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    pub sku: String,
    /// A JSON object.
    pub attributes: serde_json::Value,
    /// `None`: the product's price.
    pub price_cents: Option<i32>,
}

impl Product {
    pub fn id(&self) -> Uuid {
        product_id(&self.sku)
    }
}

/// The id of the product with this SKU, if an importer or the sample shop made it.
pub fn product_id(sku: &str) -> Uuid {
    stable_id("product", sku)
}

/// Categories and brands by name; returns nothing: their ids are looked up by name when products are written.
pub async fn write_names(
    connection: &mut PgConnection,
    categories: &[(String, String)],
    brands: &[(String, String)],
) -> Result<(), sqlx::Error> {
    for (kind, statement, rows) in [
        (
            "category",
            "INSERT INTO categories (id, name, description) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING",
            categories,
        ),
        (
            "brand",
            "INSERT INTO brands (id, name, description) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING",
            brands,
        ),
    ] {
        for rows in rows.chunks(ROWS) {
            sqlx::query(statement)
                .bind(rows.iter().map(|(name, _)| stable_id(kind, name)).collect::<Vec<_>>())
                .bind(rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
                .bind(rows.iter().map(|(_, description)| (!description.is_empty()).then_some(description.as_str())).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Products with their variants; categories and brands are found by name. Returns how many products were new.
pub async fn write_products(connection: &mut PgConnection, products: &[Product]) -> Result<u64, sqlx::Error> {
    let mut added = 0;
    for products in products.chunks(ROWS) {
        let ids: Vec<Uuid> = products.iter().map(Product::id).collect();
        added += sqlx::query(
            "INSERT INTO products (id, sku, name, description, category_id, brand_id, base_price_cents)
             SELECT p.id, p.sku, p.name, p.description, c.id, b.id, p.price_cents
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
                    AS p (id, sku, name, description, category, brand, price_cents)
               LEFT JOIN categories c ON c.name = p.category
               LEFT JOIN brands b ON b.name = p.brand
             ON CONFLICT DO NOTHING",
        )
        .bind(&ids)
        .bind(products.iter().map(|product| product.sku.as_str()).collect::<Vec<_>>())
        .bind(products.iter().map(|product| product.name.as_str()).collect::<Vec<_>>())
        .bind(products.iter().map(|product| product.description.as_deref()).collect::<Vec<_>>())
        .bind(products.iter().map(|product| product.category.as_deref()).collect::<Vec<_>>())
        .bind(products.iter().map(|product| product.brand.as_deref()).collect::<Vec<_>>())
        .bind(products.iter().map(|product| product.price_cents).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?
        .rows_affected();
        write_variants(connection, products).await?;
    }
    Ok(added)
}

async fn write_variants(connection: &mut PgConnection, products: &[Product]) -> Result<(), sqlx::Error> {
    let variants: Vec<(Uuid, &Variant)> =
        products.iter().flat_map(|product| product.variants.iter().map(|variant| (product.id(), variant))).collect();
    for variants in variants.chunks(ROWS) {
        // A product of the same SKU that someone made by hand has another id: its variants are its own.
        sqlx::query(
            "INSERT INTO product_variants (id, product_id, variant_sku, attributes, price_cents)
             SELECT v.* FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::int[]) AS v (id, product_id, variant_sku, attributes, price_cents)
              WHERE EXISTS (SELECT FROM products WHERE products.id = v.product_id)
             ON CONFLICT DO NOTHING",
        )
        .bind(variants.iter().map(|(_, variant)| stable_id("variant", &variant.sku)).collect::<Vec<_>>())
        .bind(variants.iter().map(|(product, _)| *product).collect::<Vec<_>>())
        .bind(variants.iter().map(|(_, variant)| variant.sku.as_str()).collect::<Vec<_>>())
        .bind(variants.iter().map(|(_, variant)| &variant.attributes).collect::<Vec<_>>())
        .bind(variants.iter().map(|(_, variant)| variant.price_cents).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// A product's first picture, as JPEG.
pub async fn write_pictures(connection: &mut PgConnection, pictures: &[(Uuid, Vec<u8>)]) -> Result<(), sqlx::Error> {
    for pictures in pictures.chunks(200) {
        sqlx::query(
            "INSERT INTO product_images (id, product_id, position, media_type, content)
             SELECT i.id, i.product_id, 0, 'image/jpeg', i.content FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS i (id, product_id, content)
             ON CONFLICT DO NOTHING",
        )
        .bind(pictures.iter().map(|(product, _)| stable_id("picture", &product.to_string())).collect::<Vec<_>>())
        .bind(pictures.iter().map(|(product, _)| *product).collect::<Vec<_>>())
        .bind(pictures.iter().map(|(_, content)| content.as_slice()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Units that came in, and below how many an article is low.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    pub sku: String,
    pub received: i32,
    pub reorder_point: i32,
}

/// Books one receipt a SKU under `reference`, once however often it is called, and sets reorder points that are not set.
/// A later call that names more units raises the receipt to them. Returns how many receipts were booked or raised.
pub async fn write_stock(connection: &mut PgConnection, reference: &str, stock: &[Stock]) -> Result<u64, sqlx::Error> {
    let mut added = 0;
    for stock in stock.chunks(ROWS) {
        let skus: Vec<&str> = stock.iter().map(|stock| stock.sku.as_str()).collect();
        added += sqlx::query(
            "INSERT INTO stock_movements (id, sku, quantity, reason, reference)
             SELECT s.id, s.sku, s.quantity, 'receipt', $4 FROM unnest($1::uuid[], $2::text[], $3::int[]) AS s (id, sku, quantity)
              WHERE s.quantity <> 0
             ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity WHERE stock_movements.quantity < excluded.quantity",
        )
        .bind(stock.iter().map(|stock| stable_id(reference, &stock.sku)).collect::<Vec<_>>())
        .bind(&skus)
        .bind(stock.iter().map(|stock| stock.received).collect::<Vec<_>>())
        .bind(reference)
        .execute(&mut *connection)
        .await?
        .rows_affected();
        sqlx::query("INSERT INTO reorder_points (sku, threshold) SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING")
            .bind(&skus)
            .bind(stock.iter().map(|stock| stock.reorder_point).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    Ok(added)
}
