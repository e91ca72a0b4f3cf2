//! A good part of what the shop has, to know what there is to ask for.

use chimera_client::Client;
use chimera_client::types::{Product, SearchQuery};

use super::Error;

const PAGE: i64 = 100;
const PAGES: i64 = 20;

pub async fn shelf(client: &Client) -> Result<Vec<Product>, Error> {
    let mut shelf = Vec::new();
    for page in 0..PAGES {
        let query = SearchQuery { limit: Some(PAGE), offset: Some(page * PAGE), ..Default::default() };
        let found = client.search(&query).await?.into_body().hits;
        let full = found.len() as i64 == PAGE;
        shelf.extend(found.into_iter().map(|hit| hit.product));
        if !full {
            break;
        }
    }
    if shelf.is_empty() { Err(Error::EmptyShop) } else { Ok(shelf) }
}
