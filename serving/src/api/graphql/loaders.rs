//! What many objects of an answer need of one place, loaded at once.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use parking_lot::Mutex;
use uuid::Uuid;

use super::fault::{Fault, Result};
use crate::api::catalog::navigation::shelf::{self, Category, Shelf};
use crate::api::inventory::get::stock;
use crate::api::products::Product;
use crate::api::products::prices::{Price, prices};
use crate::api::state::App;

pub struct Loads {
    app: App,
    made: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

/// A product, by a SKU of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProductOf(pub String);

/// What the catalogue charges for a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PriceOf(pub String);

/// Units of a SKU that can be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AvailableOf(pub String);

/// Where a product stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShelfOf(pub Uuid);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CategoryOf(pub Uuid);

impl Loads {
    pub(super) fn new(app: App, made: Arc<Mutex<BTreeMap<&'static str, usize>>>) -> Self {
        Self { app, made }
    }

    fn count(&self, of: &'static str) {
        metrics::counter!("chimera_graphql_loads_total", "of" => of).increment(1);
        *self.made.lock().entry(of).or_default() += 1;
    }
}

/// Those keys that something was found for.
fn found<K: Clone + Eq + Hash, V>(keys: &[K], values: Vec<Option<V>>) -> HashMap<K, V> {
    keys.iter().cloned().zip(values).filter_map(|(key, value)| Some((key, value?))).collect()
}

impl Loader<ProductOf> for Loads {
    type Value = Product;
    type Error = Fault;

    async fn load(&self, keys: &[ProductOf]) -> Result<HashMap<ProductOf, Product>> {
        self.count("products");
        let skus: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        Ok(found(keys, self.app.products_by_sku(&skus).await?))
    }
}

impl Loader<PriceOf> for Loads {
    type Value = Price;
    type Error = Fault;

    async fn load(&self, keys: &[PriceOf]) -> Result<HashMap<PriceOf, Price>> {
        self.count("prices");
        let skus: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
        let prices = prices(&self.app.databases.catalog, &skus).await?;
        Ok(prices.into_iter().map(|(sku, price)| (PriceOf(sku), price)).collect())
    }
}

impl Loader<AvailableOf> for Loads {
    type Value = i64;
    type Error = Fault;

    async fn load(&self, keys: &[AvailableOf]) -> Result<HashMap<AvailableOf, i64>> {
        self.count("stock");
        let skus: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let units = stock(&self.app, &skus).await?.into_iter().map(|stock| stock.map(|stock| stock.available)).collect();
        Ok(found(keys, units))
    }
}

impl Loader<ShelfOf> for Loads {
    type Value = Shelf;
    type Error = Fault;

    async fn load(&self, keys: &[ShelfOf]) -> Result<HashMap<ShelfOf, Shelf>> {
        self.count("shelves");
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let shelves = shelf::shelves(&self.app.replica().catalog, &ids).await?;
        Ok(shelves.into_iter().map(|(id, shelf)| (ShelfOf(id), shelf)).collect())
    }
}

impl Loader<CategoryOf> for Loads {
    type Value = Category;
    type Error = Fault;

    async fn load(&self, keys: &[CategoryOf]) -> Result<HashMap<CategoryOf, Category>> {
        self.count("categories");
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let categories = shelf::categories(&self.app.replica().catalog, &ids).await?;
        Ok(categories.into_iter().map(|(id, category)| (CategoryOf(id), category)).collect())
    }
}
