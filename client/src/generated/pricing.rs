//! Of `pricing`.

use reqwest::Method;
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// What a basket would cost now. Nothing is kept or promised; who is logged in sees what is left of their own limits.
    ///
    /// `POST /api/v1/pricing/quote`
    pub async fn create_quote(&self, body: &QuoteRequest) -> Result<Answer<Quote>> {
        self.call(Method::POST, &["api", "v1", "pricing", "quote"]).json(body).typed().await
    }

    /// Promotions, a page at a time.
    ///
    /// `GET /api/v1/promotions`
    pub async fn list_promotions(&self, query: &ListPromotionsQuery) -> Result<Answer<Promotions>> {
        self.call(Method::GET, &["api", "v1", "promotions"]).query(query.pairs()).typed().await
    }

    /// Makes a promotion. One that needs a coupon applies to nobody until it has coupons.
    ///
    /// `POST /api/v1/promotions`
    pub async fn create_promotion(&self, body: &Terms) -> Result<Answer<Promotion>> {
        self.call(Method::POST, &["api", "v1", "promotions"]).json(body).typed().await
    }

    /// One promotion.
    ///
    /// `GET /api/v1/promotions/{id}`
    pub async fn get_promotion(&self, id: Uuid) -> Result<Answer<Promotion>> {
        self.call(Method::GET, &["api", "v1", "promotions", &id.to_string()]).typed().await
    }

    /// Replaces the terms of a promotion, for baskets that are priced from now on. Its coupons and what was counted stay.
    ///
    /// `PUT /api/v1/promotions/{id}`
    pub async fn put_promotion(&self, id: Uuid, body: &Terms) -> Result<Answer<Promotion>> {
        self.call(Method::PUT, &["api", "v1", "promotions", &id.to_string()]).json(body).typed().await
    }

    /// Removes a promotion and its coupons. One that orders have used is switched off instead: they name it.
    ///
    /// `DELETE /api/v1/promotions/{id}`
    pub async fn delete_promotion(&self, id: Uuid) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "promotions", &id.to_string()]).empty().await
    }

    /// The coupons of a promotion, a page at a time.
    ///
    /// `GET /api/v1/promotions/{id}/coupons`
    pub async fn list_coupons(&self, id: Uuid, query: &ListCouponsQuery) -> Result<Answer<Coupons>> {
        self.call(Method::GET, &["api", "v1", "promotions", &id.to_string(), "coupons"]).query(query.pairs()).typed().await
    }

    /// Makes coupons for a promotion that needs one: of given codes, or so many that nobody can guess. All of them or none.
    ///
    /// `POST /api/v1/promotions/{id}/coupons`
    pub async fn create_coupons(&self, id: Uuid, body: &NewCoupons) -> Result<Answer<Coupons>> {
        self.call(Method::POST, &["api", "v1", "promotions", &id.to_string(), "coupons"]).json(body).typed().await
    }

    /// What shipping costs, by country.
    ///
    /// `GET /api/v1/shipping-rates`
    pub async fn get_shipping_rates(&self) -> Result<Answer<ShippingTable>> {
        self.call(Method::GET, &["api", "v1", "shipping-rates"]).typed().await
    }

    /// Replaces the whole table: what is left out is gone.
    ///
    /// `PUT /api/v1/shipping-rates`
    pub async fn put_shipping_rates(&self, body: &ShippingTable) -> Result<Answer<ShippingTable>> {
        self.call(Method::PUT, &["api", "v1", "shipping-rates"]).json(body).typed().await
    }

    /// All taxes, by country.
    ///
    /// `GET /api/v1/tax-rates`
    pub async fn get_tax_rates(&self) -> Result<Answer<TaxTable>> {
        self.call(Method::GET, &["api", "v1", "tax-rates"]).typed().await
    }

    /// Replaces the whole table: what is left out is gone.
    ///
    /// `PUT /api/v1/tax-rates`
    pub async fn put_tax_rates(&self, body: &TaxTable) -> Result<Answer<TaxTable>> {
        self.call(Method::PUT, &["api", "v1", "tax-rates"]).json(body).typed().await
    }
}
