//! A product as the API shows it, from the document that the `search_index` pipeline keeps.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::api::problem::{Problem, Result};

/// A product.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Product {
    pub id: Uuid,
    #[schema(example = "85123A")]
    pub sku: String,
    #[schema(example = "White hanging heart T-light holder")]
    pub name: String,
    pub description: Option<String>,
    pub brand: Option<String>,
    pub category: Option<String>,
    /// In hundredths of the currency.
    pub price_cents: i64,
    #[schema(example = "GBP")]
    pub currency: String,
    /// Units that can be ordered; `null`: not known just now.
    pub available: Option<i64>,
    /// Units sold; what `sort=popularity` sorts by. `null`: not known just now.
    pub popularity: Option<i64>,
    pub variants: Vec<Variant>,
    /// Where the picture is, relative to the server.
    pub image_url: Option<String>,
}

/// A kind of the product with a SKU of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Variant {
    pub sku: String,
    /// Such as `{"colour": "red"}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// `null`: the product's price.
    pub price_cents: Option<i64>,
}

/// The row of `search_index.product_documents`.
#[derive(Deserialize)]
struct Row {
    id: Uuid,
    sku: String,
    name: String,
    description: Option<String>,
    brand: Option<String>,
    category: Option<String>,
    price_cents: i64,
    currency: String,
    available: Option<i64>,
    popularity: Option<i64>,
    /// JSON text.
    variants: Option<String>,
    image_id: Option<String>,
}

impl Product {
    /// Reads a document of `search_index`.
    ///
    /// # Errors
    /// An internal problem if it is not one: the pipeline writes it, so that would be a fault of ours.
    pub fn from_document(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json)
            .map_err(|error| Problem::internal(format!("a product document cannot be read: {error}")))
            .and_then(Self::from_row)
    }

    /// Like [`Product::from_document`].
    pub fn from_value(document: Value) -> Result<Self> {
        serde_json::from_value(document)
            .map_err(|error| Problem::internal(format!("a product document cannot be read: {error}")))
            .and_then(Self::from_row)
    }

    fn from_row(row: Row) -> Result<Self> {
        let variants = match row.variants.as_deref() {
            None | Some("") => Vec::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| Problem::internal(format!("the variants of product {} cannot be read: {error}", row.id)))?,
        };
        Ok(Self {
            id: row.id,
            sku: row.sku,
            name: row.name,
            description: row.description,
            brand: row.brand,
            category: row.category,
            price_cents: row.price_cents,
            currency: row.currency,
            available: Some(row.available.unwrap_or(0)),
            popularity: Some(row.popularity.unwrap_or(0)),
            variants,
            image_url: row.image_id.map(|id| format!("/api/v1/images/{id}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_with_nulls_and_variants_is_read() {
        let json =
            br#"{"id":"6a0dbf0e-93a7-4b0c-9a5c-0c2ff3a1e0aa","sku":"A","name":"Mug","description":null,"brand":null,"category":"Kitchen",
            "price_cents":250,"currency":"GBP","available":null,"popularity":7,"image_id":"1b4e28ba-2fa1-41d2-883f-0016d3cca427",
            "variants":"[{\"sku\":\"A-red\",\"attributes\":{\"colour\":\"red\"},\"price_cents\":null}]"}"#;
        let product = Product::from_document(json).expect("a document");
        assert_eq!((product.available, product.popularity, product.price_cents), (Some(0), Some(7), 250));
        assert_eq!(product.image_url.as_deref(), Some("/api/v1/images/1b4e28ba-2fa1-41d2-883f-0016d3cca427"));
        assert_eq!(product.variants[0].sku, "A-red");
        assert_eq!(product.variants[0].attributes["colour"], "red");
        assert!(Product::from_document(b"{}").is_err());
    }
}
