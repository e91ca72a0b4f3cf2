//! Products.

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Json, Object, SimpleObject};
use serde_json::Value;

use crate::api::catalog::navigation::{brands, shelf};
use crate::api::graphql::asker::id;
use crate::api::graphql::fault::Result;
use crate::api::graphql::loaders::{AvailableOf, CategoryOf, Loads, ShelfOf};
use crate::api::products;

pub struct Product(pub products::Product);

/// Something that the shop sells, under one or more SKUs.
#[Object]
impl Product {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn sku(&self) -> &str {
        &self.0.sku
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    async fn category(&self, context: &Context<'_>) -> Result<Option<Category>> {
        match self.shelf(context).await?.and_then(|shelf| shelf.category_id) {
            Some(id) => Category::load(context, id).await,
            None => Ok(None),
        }
    }

    async fn brand(&self, context: &Context<'_>) -> Result<Option<Brand>> {
        Ok(self.shelf(context).await?.and_then(|shelf| shelf.brand).map(Brand::from))
    }

    /// In hundredths of the currency.
    async fn base_price(&self) -> i64 {
        self.0.price_cents
    }

    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// Relative to the server, the first one first.
    async fn image_urls(&self, context: &Context<'_>) -> Result<Vec<String>> {
        let ids = self.shelf(context).await?.map(|shelf| shelf.image_ids).unwrap_or_default();
        Ok(ids.iter().map(|id| format!("/api/v1/images/{id}")).collect())
    }

    /// Units that can be ordered; null: not known just now.
    async fn available_stock(&self) -> Option<i64> {
        self.0.available
    }

    async fn is_active(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.shelf(context).await?.is_some_and(|shelf| shelf.is_active))
    }

    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn variants(&self) -> Vec<ProductVariant> {
        self.0.variants.iter().cloned().map(ProductVariant).collect()
    }
}

impl Product {
    async fn shelf(&self, context: &Context<'_>) -> Result<Option<shelf::Shelf>> {
        context.data_unchecked::<DataLoader<Loads>>().load_one(ShelfOf(self.0.id)).await
    }
}

pub struct ProductVariant(products::Variant);

/// A kind of a product with a SKU of its own.
#[Object]
impl ProductVariant {
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// Such as `{"colour": "red"}`.
    async fn attributes(&self) -> Json<Value> {
        Json(Value::Object(self.0.attributes.clone()))
    }

    /// Null: the product's.
    async fn price(&self) -> Option<i64> {
        self.0.price_cents
    }

    /// Units that can be ordered; null: there is no record of it.
    async fn available_stock(&self, context: &Context<'_>) -> Result<Option<i64>> {
        context.data_unchecked::<DataLoader<Loads>>().load_one(AvailableOf(self.0.sku.clone())).await
    }
}

pub struct Category(shelf::Category);

impl Category {
    async fn load(context: &Context<'_>, id: uuid::Uuid) -> Result<Option<Self>> {
        Ok(context.data_unchecked::<DataLoader<Loads>>().load_one(CategoryOf(id)).await?.map(Self))
    }
}

#[Object]
impl Category {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Which it stands directly below.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<Category>> {
        match self.0.parent_id {
            Some(id) => Category::load(context, id).await,
            None => Ok(None),
        }
    }
}

#[derive(SimpleObject)]
pub struct Brand {
    id: ID,
    name: String,
    description: Option<String>,
}

impl From<brands::Brand> for Brand {
    fn from(brand: brands::Brand) -> Self {
        Self { id: id(brand.id), name: brand.name, description: brand.description }
    }
}
