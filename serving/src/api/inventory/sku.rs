//! SKUs in requests.

use crate::api::extract::text_error;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::products::skus;
use crate::api::state::App;

pub const MAX_LENGTH: usize = 100;

/// Refuses a SKU of the path that no article can have.
pub fn check_path(sku: &str) -> Result<()> {
    text_error(sku, MAX_LENGTH)
        .map_or(Ok(()), |message| Err(Problem::new(&kinds::BAD_PARAMETER, format!("The SKU in the path: {message}."))))
}

/// Refuses SKUs that the catalogue does not know.
pub async fn check_known(app: &App, wanted: &[&str]) -> Result<()> {
    let unknown = skus::unknown(&app.databases.catalog, wanted).await?;
    let Some(first) = unknown.first() else { return Ok(()) };
    let more = if unknown.len() > 1 { format!(" and {} others", unknown.len() - 1) } else { String::new() };
    let detail = format!("The catalogue does not know `{}`{more}.", first.escape_debug());
    Err(Problem::new(&kinds::SKU_NOT_IN_CATALOGUE, detail).with("skus", unknown))
}
