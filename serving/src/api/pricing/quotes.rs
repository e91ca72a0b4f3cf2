//! `POST /api/v1/pricing/quote`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::basket::{Destination, MAX_COUPONS, ShippingMethod, basket};
use super::quote::{Quote, quote};
use crate::api::access::Caller;
use crate::api::extract::{Body, Faults, Json};
use crate::api::orders::request::NewLine;
use crate::api::problem::{ProblemBody, Result};
use crate::api::state::App;

/// What would be bought. Prices are not part of it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<NewLine>,
    #[serde(default)]
    #[schema(max_items = 10)]
    pub coupons: Vec<String>,
    /// Without it, shipping and tax are left out.
    pub destination: Option<Destination>,
    #[serde(default)]
    pub shipping_method: ShippingMethod,
}

impl Body for QuoteRequest {
    const MAX_BYTES: usize = 64 * 1024;
    const UNKNOWN_FIELD_HELP: Option<&'static str> =
        Some("Prices, discounts, taxes and shipping come from the server's tables and are never taken from a request.");
}

impl QuoteRequest {
    fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.unless(!self.items.is_empty(), "items", "a quote is of 1 line or more");
        faults.unless(self.coupons.len() <= MAX_COUPONS, "coupons", "a basket takes 10 coupons at most");
        for (i, code) in self.coupons.iter().enumerate().take(MAX_COUPONS) {
            faults.text(&format!("coupons[{i}]"), code, 40);
        }
        if let Some(destination) = &self.destination {
            destination.check(&mut faults);
        }
        faults.check()
    }
}

/// What a basket would cost now. Nothing is kept or promised; who is logged in sees what is left of their own limits.
#[utoipa::path(post, path = "/api/v1/pricing/quote", tag = "pricing", request_body = QuoteRequest, responses((status = 200, body = Quote),
    (status = 401, description = "the credentials that came along are wrong", body = ProblemBody), (status = 413, body = ProblemBody),
    (status = 415, body = ProblemBody), (status = 422, description = "a SKU is unknown, or nothing is shipped there", body = ProblemBody)))]
pub async fn create_quote(State(app): State<App>, caller: Option<Extension<Caller>>, Json(wanted): Json<QuoteRequest>) -> Result<Response> {
    wanted.check()?;
    let user_id = caller.and_then(|Extension(caller)| caller.user_id);
    let lines: Vec<(String, i64)> = wanted.items.into_iter().map(|line| (line.sku, line.quantity)).collect();
    let basket = basket(&app, user_id, &lines, wanted.coupons, wanted.destination, wanted.shipping_method).await?;
    let quote = quote(&app, &basket).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(quote)).into_response())
}
