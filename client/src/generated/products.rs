//! Of `products`.

use reqwest::{Method, Response};
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// The brands that the shop sells, a page at a time.
    ///
    /// `GET /api/v1/brands`
    pub async fn get_brands(&self, query: &GetBrandsQuery) -> Result<Answer<Brands>> {
        self.call(Method::GET, &["api", "v1", "brands"]).query(query.pairs()).typed().await
    }

    /// The tree of categories.
    ///
    /// `GET /api/v1/categories`
    pub async fn get_categories(&self) -> Result<Answer<CategoryTree>> {
        self.call(Method::GET, &["api", "v1", "categories"]).typed().await
    }

    /// A picture of a product, from the catalogue. The picture behind an id never changes: a new picture gets a new id.
    ///
    /// `GET /api/v1/images/{id}`
    pub async fn get_image(&self, id: Uuid, query: &GetImageQuery) -> Result<Response> {
        self.call(Method::GET, &["api", "v1", "images", &id.to_string()]).query(query.pairs()).raw().await
    }

    /// One product. If the store of the documents cannot be reached, the answer comes from the catalogue: the header `chimera-source` says so
    /// then, and what the catalogue does not know is `null`.
    ///
    /// `GET /api/v1/products/{id}`
    pub async fn get_product(&self, id: Uuid, query: &GetProductQuery) -> Result<Answer<ProductResponse>> {
        self.call(Method::GET, &["api", "v1", "products", &id.to_string()]).query(query.pairs()).typed().await
    }

    /// Products that go with this one, the strongest first.
    ///
    /// `GET /api/v1/products/{id}/related`
    pub async fn related_products(&self, id: Uuid, query: &RelatedProductsQuery) -> Result<Answer<RelatedResponse>> {
        self.call(Method::GET, &["api", "v1", "products", &id.to_string(), "related"]).query(query.pairs()).typed().await
    }
}
