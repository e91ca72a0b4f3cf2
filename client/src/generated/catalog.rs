//! Of `catalog`.

use reqwest::{Body, Method};
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Brands, a page at a time.
    ///
    /// `GET /api/v1/catalog/brands`
    pub async fn list_catalog_brands(&self, query: &ListCatalogBrandsQuery) -> Result<Answer<CatalogBrands>> {
        self.call(Method::GET, &["api", "v1", "catalog", "brands"]).query(query.pairs()).typed().await
    }

    /// Adds a brand.
    ///
    /// `POST /api/v1/catalog/brands`
    pub async fn create_brand(&self, body: &BrandFields) -> Result<Answer<CatalogBrand>> {
        self.call(Method::POST, &["api", "v1", "catalog", "brands"]).json(body).typed().await
    }

    /// A brand. Its ETag is what a change of it sends as If-Match.
    ///
    /// `GET /api/v1/catalog/brands/{id}`
    pub async fn get_brand(&self, id: Uuid) -> Result<Answer<CatalogBrand>> {
        self.call(Method::GET, &["api", "v1", "catalog", "brands", &id.to_string()]).typed().await
    }

    /// Replaces a brand's name and description.
    ///
    /// `PUT /api/v1/catalog/brands/{id}`
    pub async fn put_brand(&self, id: Uuid, if_match: &str, body: &BrandFields) -> Result<Answer<CatalogBrand>> {
        self.call(Method::PUT, &["api", "v1", "catalog", "brands", &id.to_string()]).header("if-match", &if_match).json(body).typed().await
    }

    /// Removes a brand that no product is of, on sale or not.
    ///
    /// `DELETE /api/v1/catalog/brands/{id}`
    pub async fn delete_brand(&self, id: Uuid, if_match: &str) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "catalog", "brands", &id.to_string()]).header("if-match", &if_match).empty().await
    }

    /// Categories, a page at a time.
    ///
    /// `GET /api/v1/catalog/categories`
    pub async fn list_catalog_categories(&self, query: &ListCatalogCategoriesQuery) -> Result<Answer<CatalogCategories>> {
        self.call(Method::GET, &["api", "v1", "catalog", "categories"]).query(query.pairs()).typed().await
    }

    /// Adds a category.
    ///
    /// `POST /api/v1/catalog/categories`
    pub async fn create_category(&self, body: &CategoryFields) -> Result<Answer<CatalogCategory>> {
        self.call(Method::POST, &["api", "v1", "catalog", "categories"]).json(body).typed().await
    }

    /// A category. Its ETag is what a change of it sends as If-Match.
    ///
    /// `GET /api/v1/catalog/categories/{id}`
    pub async fn get_category(&self, id: Uuid) -> Result<Answer<CatalogCategory>> {
        self.call(Method::GET, &["api", "v1", "catalog", "categories", &id.to_string()]).typed().await
    }

    /// Replaces a category, or moves it with all that stands below it.
    ///
    /// `PUT /api/v1/catalog/categories/{id}`
    pub async fn put_category(&self, id: Uuid, if_match: &str, body: &CategoryFields) -> Result<Answer<CatalogCategory>> {
        self.call(Method::PUT, &["api", "v1", "catalog", "categories", &id.to_string()])
            .header("if-match", &if_match)
            .json(body)
            .typed()
            .await
    }

    /// Removes a category that no product, on sale or not, and no category stands in.
    ///
    /// `DELETE /api/v1/catalog/categories/{id}`
    pub async fn delete_category(&self, id: Uuid, if_match: &str) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "catalog", "categories", &id.to_string()]).header("if-match", &if_match).empty().await
    }

    /// Adds and changes many products and variants, by SKU. CSV with a first line that names the columns, or a JSON object a line, with: `sku`,
    /// `name`, `description`, `brand` (by name), `category` (a path such as `Kitchen > Mugs`), `price_cents`, `currency`, `is_active`; of a variant
    /// `sku`, `parent_sku`, `attributes` (a JSON object) and `price_cents`. What a line leaves out, or has empty, stays as it is. Brands and
    /// categories that are not there are made. Lines that are wrong are told, and stop no other; the same file again changes nothing.
    ///
    /// `POST /api/v1/catalog/import`
    pub async fn import_products(
        &self,
        query: &ImportProductsQuery,
        media_type: &str,
        body: impl Into<Body>,
    ) -> Result<Answer<ImportReport>> {
        self.call(Method::POST, &["api", "v1", "catalog", "import"]).query(query.pairs()).body(media_type, body).typed().await
    }

    /// Products of the catalogue, on sale or not, a page at a time.
    ///
    /// `GET /api/v1/catalog/products`
    pub async fn list_catalog_products(&self, query: &ListCatalogProductsQuery) -> Result<Answer<CatalogProducts>> {
        self.call(Method::GET, &["api", "v1", "catalog", "products"]).query(query.pairs()).typed().await
    }

    /// Adds a product.
    ///
    /// `POST /api/v1/catalog/products`
    pub async fn create_catalog_product(&self, body: &NewCatalogProduct) -> Result<Answer<CatalogProduct>> {
        self.call(Method::POST, &["api", "v1", "catalog", "products"]).json(body).typed().await
    }

    /// A product of the catalogue, on sale or not. Its ETag is what a change of it sends as If-Match.
    ///
    /// `GET /api/v1/catalog/products/{id}`
    pub async fn get_catalog_product(&self, id: Uuid) -> Result<Answer<CatalogProduct>> {
        self.call(Method::GET, &["api", "v1", "catalog", "products", &id.to_string()]).typed().await
    }

    /// Replaces a product, but for its SKU and its price.
    ///
    /// `PUT /api/v1/catalog/products/{id}`
    pub async fn put_catalog_product(&self, id: Uuid, if_match: &str, body: &ProductFields) -> Result<Answer<CatalogProduct>> {
        self.call(Method::PUT, &["api", "v1", "catalog", "products", &id.to_string()])
            .header("if-match", &if_match)
            .json(body)
            .typed()
            .await
    }

    /// Changes parts of a product: what the patch names, `null` takes away (RFC 7396).
    ///
    /// `PATCH /api/v1/catalog/products/{id}`
    pub async fn patch_catalog_product(
        &self,
        id: Uuid,
        if_match: &str,
        media_type: &str,
        body: impl Into<Body>,
    ) -> Result<Answer<CatalogProduct>> {
        self.call(Method::PATCH, &["api", "v1", "catalog", "products", &id.to_string()])
            .header("if-match", &if_match)
            .body(media_type, body)
            .typed()
            .await
    }

    /// Takes a product off sale. Its row is kept for the orders that name it, and can be made active again.
    ///
    /// `DELETE /api/v1/catalog/products/{id}`
    pub async fn delete_catalog_product(&self, id: Uuid, if_match: &str) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "catalog", "products", &id.to_string()]).header("if-match", &if_match).empty().await
    }

    /// The pictures of a product, in their order.
    ///
    /// `GET /api/v1/catalog/products/{id}/images`
    pub async fn list_images(&self, id: Uuid) -> Result<Answer<CatalogPictures>> {
        self.call(Method::GET, &["api", "v1", "catalog", "products", &id.to_string(), "images"]).typed().await
    }

    /// Adds a picture behind the others. It is decoded, turned upright and written anew in two sizes: what else the file held is gone.
    ///
    /// `POST /api/v1/catalog/products/{id}/images`
    pub async fn create_image(&self, id: Uuid, media_type: &str, body: impl Into<Body>) -> Result<Answer<CatalogPictures>> {
        self.call(Method::POST, &["api", "v1", "catalog", "products", &id.to_string(), "images"]).body(media_type, body).typed().await
    }

    /// Puts the pictures of a product in an order. The first one stands for the product.
    ///
    /// `PUT /api/v1/catalog/products/{id}/images`
    pub async fn put_images(&self, id: Uuid, if_match: &str, body: &PictureOrder) -> Result<Answer<CatalogPictures>> {
        self.call(Method::PUT, &["api", "v1", "catalog", "products", &id.to_string(), "images"])
            .header("if-match", &if_match)
            .json(body)
            .typed()
            .await
    }

    /// Removes a picture of a product; those behind it move up.
    ///
    /// `DELETE /api/v1/catalog/products/{id}/images/{image_id}`
    pub async fn delete_image(&self, id: Uuid, image_id: Uuid, if_match: &str) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "catalog", "products", &id.to_string(), "images", &image_id.to_string()])
            .header("if-match", &if_match)
            .empty()
            .await
    }

    /// Sets a product's price. The next order pays it; the history keeps who changed it, and when.
    ///
    /// `PUT /api/v1/catalog/products/{id}/price`
    pub async fn put_price(&self, id: Uuid, if_match: &str, body: &NewPrice) -> Result<Answer<CatalogProduct>> {
        self.call(Method::PUT, &["api", "v1", "catalog", "products", &id.to_string(), "price"])
            .header("if-match", &if_match)
            .json(body)
            .typed()
            .await
    }

    /// What the prices of a product and of its variants were, and who changed them.
    ///
    /// `GET /api/v1/catalog/products/{id}/price-changes`
    pub async fn list_price_changes(&self, id: Uuid, query: &ListPriceChangesQuery) -> Result<Answer<PriceChanges>> {
        self.call(Method::GET, &["api", "v1", "catalog", "products", &id.to_string(), "price-changes"]).query(query.pairs()).typed().await
    }

    /// The variants of a product.
    ///
    /// `GET /api/v1/catalog/products/{id}/variants`
    pub async fn list_variants(&self, id: Uuid) -> Result<Answer<CatalogVariants>> {
        self.call(Method::GET, &["api", "v1", "catalog", "products", &id.to_string(), "variants"]).typed().await
    }

    /// Adds a variant to a product.
    ///
    /// `POST /api/v1/catalog/products/{id}/variants`
    pub async fn create_variant(&self, id: Uuid, body: &NewCatalogVariant) -> Result<Answer<CatalogVariant>> {
        self.call(Method::POST, &["api", "v1", "catalog", "products", &id.to_string(), "variants"]).json(body).typed().await
    }

    /// A variant. Its ETag is what a change of it sends as If-Match.
    ///
    /// `GET /api/v1/catalog/variants/{id}`
    pub async fn get_variant(&self, id: Uuid) -> Result<Answer<CatalogVariant>> {
        self.call(Method::GET, &["api", "v1", "catalog", "variants", &id.to_string()]).typed().await
    }

    /// Replaces a variant, but for its SKU.
    ///
    /// `PUT /api/v1/catalog/variants/{id}`
    pub async fn put_variant(&self, id: Uuid, if_match: &str, body: &VariantFields) -> Result<Answer<CatalogVariant>> {
        self.call(Method::PUT, &["api", "v1", "catalog", "variants", &id.to_string()])
            .header("if-match", &if_match)
            .json(body)
            .typed()
            .await
    }

    /// Removes a variant: it is not offered any more. Orders keep its SKU and its price themselves.
    ///
    /// `DELETE /api/v1/catalog/variants/{id}`
    pub async fn delete_variant(&self, id: Uuid, if_match: &str) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "catalog", "variants", &id.to_string()]).header("if-match", &if_match).empty().await
    }
}
