//! Product search.

pub mod get;

use chimera_connectors::sink::tantivy::{SearchRequest, SearchResponse};

use super::problem::{Problem, Result, kinds};
use super::state::App;

/// The store of the search index, and the index's name.
pub const PRODUCTS: &str = "search_index.products";
pub const INDEX: &str = "products";

impl App {
    /// Searches the product index, on a thread that may wait for a disk.
    pub async fn search_products(&self, request: SearchRequest) -> Result<SearchResponse> {
        let missing = || Problem::new(&kinds::STORE_NOT_READY, "The search index is not open yet.").with("store", PRODUCTS).retry_after(2);
        let index = self.connectors.search.get(INDEX).ok_or_else(missing)?;
        Ok(tokio::task::spawn_blocking(move || index.search(&request)).await.map_err(Problem::internal)??)
    }
}
