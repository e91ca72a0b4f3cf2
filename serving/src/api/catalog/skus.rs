//! SKUs: each names one thing that is sold, a product or a variant.

use sqlx::PgConnection;

use super::lock::Lock;
use crate::api::problem::{Problem, Result, kinds};

/// Makes sure that nothing has this SKU, and that nothing gets it before this transaction has ended.
pub async fn claim(connection: &mut PgConnection, sku: &str) -> Result<()> {
    Lock::Skus.take(connection).await?;
    let is_taken: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM products WHERE sku = $1) OR EXISTS (SELECT FROM product_variants WHERE variant_sku = $1)",
    )
    .bind(sku)
    .fetch_one(connection)
    .await?;
    if is_taken { Err(Problem::new(&kinds::SKU_TAKEN, format!("`{}` names a product or a variant.", sku.escape_debug()))) } else { Ok(()) }
}
