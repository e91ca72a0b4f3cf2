//! Finding product documents by id and by SKU, many at once.

use redis::AsyncCommands;
use serde::Deserialize;
use uuid::Uuid;

use super::Product;
use crate::api::problem::{Problem, Result};
use crate::api::state::App;

impl App {
    /// The active product of this id.
    pub async fn product(&self, id: Uuid) -> Result<Option<Product>> {
        let json: Option<Vec<u8>> = self.redis.clone().get(format!("product:{id}")).await?;
        json.as_deref().map(Product::from_document).transpose()
    }

    /// The active products of these ids, in this order; `None` where there is none.
    pub async fn products(&self, ids: &[Uuid]) -> Result<Vec<Option<Product>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = ids.iter().map(|id| format!("product:{id}")).collect();
        let documents: Vec<Option<Vec<u8>>> = self.redis.clone().mget(keys).await?;
        documents.iter().map(|json| json.as_deref().map(Product::from_document).transpose()).collect()
    }

    /// The active products of these SKUs, in this order; `None` where there is none.
    pub async fn products_by_sku<S: AsRef<str>>(&self, skus: &[S]) -> Result<Vec<Option<Product>>> {
        #[derive(Deserialize)]
        struct Row {
            id: Uuid,
        }
        if skus.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = skus.iter().map(|sku| format!("sku:{}", sku.as_ref())).collect();
        let rows: Vec<Option<Vec<u8>>> = self.redis.clone().mget(keys).await?;
        let mut ids = Vec::new();
        let mut places = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(json) = row {
                let row: Row =
                    serde_json::from_slice(json).map_err(|error| Problem::internal(format!("a row of sku_ids cannot be read: {error}")))?;
                ids.push(row.id);
                places.push(place);
            }
        }
        let mut products = vec![None; skus.len()];
        for (place, product) in places.into_iter().zip(self.products(&ids).await?) {
            products[place] = product;
        }
        Ok(products)
    }
}
