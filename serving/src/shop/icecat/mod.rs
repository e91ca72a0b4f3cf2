//! The Open Icecat catalogue: electronics as manufacturers describe them, a JSON object a line.

pub mod categories;
mod reader;

use crate::shop::databases::begin;
use std::collections::BTreeSet;

pub use reader::read;

use super::bulk::{self, Product, Stock};
use super::databases::Server;
use super::online_retail::catalogue::Imported;

/// What went wrong with the file or on the way into the databases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{path}, line {line}: {message}")]
    Row { path: String, line: usize, message: String },
    #[error(transparent)]
    Database(#[from] super::databases::Error),
    #[error("PostgreSQL refused {what}: {source}")]
    Query { what: &'static str, source: sqlx::Error },
}

/// Under this reference the opening stock is booked.
const OPENING_STOCK: &str = "icecat opening stock";
/// Products a transaction.
const BATCH: usize = 1_000;

/// Writes products, brands, categories and some stock of each; what is there already stays as it is. `progress` hears how many are done.
pub async fn import(server: &Server, products: &[Product], mut progress: impl FnMut(u64)) -> Result<Imported, Error> {
    let databases = server.databases();
    let refused = |what| move |source| Error::Query { what, source };
    let names = |of: fn(&Product) -> Option<&String>| -> Vec<(String, String)> {
        products.iter().filter_map(of).collect::<BTreeSet<_>>().into_iter().map(|name| (name.clone(), String::new())).collect()
    };
    let mut catalog = databases.catalog.acquire().await.map_err(refused("a connection"))?;
    bulk::write_names(&mut catalog, &names(|product| product.category.as_ref()), &names(|product| product.brand.as_ref()))
        .await
        .map_err(refused("categories and brands"))?;
    drop(catalog);

    let mut imported = Imported::default();
    for (batch, products) in products.chunks(BATCH).enumerate() {
        // Stock first: a product is never on sale before its units are there.
        let stock: Vec<Stock> = products.iter().map(stock).collect();
        let mut transaction = begin(&databases.inventory).await.map_err(refused("the opening stock"))?;
        imported.receipts += bulk::write_stock(&mut transaction, OPENING_STOCK, &stock).await.map_err(refused("the opening stock"))?;
        transaction.commit().await.map_err(refused("the opening stock"))?;
        let mut transaction = begin(&databases.catalog).await.map_err(refused("products"))?;
        imported.products += bulk::write_products(&mut transaction, products).await.map_err(refused("products"))?;
        transaction.commit().await.map_err(refused("products"))?;
        progress((batch * BATCH + products.len()) as u64);
    }
    Ok(imported)
}

/// Between 5 and 104 units, by the SKU: the file says nothing about stock.
fn stock(product: &Product) -> Stock {
    let units = i32::try_from(product.id().as_u128() % 100).unwrap_or(0) + 5;
    Stock { sku: product.sku.clone(), received: units, reorder_point: 10 }
}
