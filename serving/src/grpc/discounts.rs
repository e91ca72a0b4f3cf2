//! `pricing.DiscountService`.

use std::collections::HashMap;

use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::proto::discount_service_server::DiscountService;
use super::proto::{Discount, DiscountItem, GetApplicableDiscountsRequest, GetApplicableDiscountsResponse};
use crate::api::App;
use crate::api::access::{self, Access, Role};
use crate::api::pricing::{Quote, ShippingMethod, basket, quote};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::products::prices::skus_of;

/// Administrators, and these.
const CALLERS: Access = Access::Only(&[Role::Service, Role::Merchandiser]);

/// Answers from the same quotes as HTTP does.
pub struct Discounts {
    app: App,
}

impl Discounts {
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Who calls is found out as for a route of HTTP.
    async fn check(&self, metadata: &MetadataMap) -> Result<()> {
        let caller = access::caller(&self.app, metadata.as_ref()).await?;
        let caller = caller.ok_or_else(|| Problem::new(&kinds::UNAUTHENTICATED, "The call carries no `authorization`."))?;
        if !CALLERS.allows(caller.role) {
            return Err(Problem::new(&kinds::FORBIDDEN, format!("A {} may not ask for discounts of others.", caller.role.name())));
        }
        Ok(())
    }

    async fn answer(&self, request: GetApplicableDiscountsRequest) -> Result<GetApplicableDiscountsResponse, Status> {
        let user_id = match request.user_id.as_str() {
            "" => None,
            id => Some(Uuid::parse_str(id).map_err(|_| Status::invalid_argument("`user_id` is not the id of an account."))?),
        };
        let (lines, names) = self.lines(&request.items).await?;
        let basket = basket(&self.app, user_id, &lines, Vec::new(), None, ShippingMethod::default()).await?;
        if !request.currency.is_empty() && request.currency != basket.currency && !lines.is_empty() {
            return Err(Status::failed_precondition(format!("The items are priced in {}.", basket.currency)));
        }
        response(&quote(&self.app, &basket).await?, &names).ok_or_else(|| Status::out_of_range("An amount does not fit into 32 bits."))
    }

    /// The items by their SKUs, and how the request names each SKU.
    async fn lines(&self, items: &[DiscountItem]) -> Result<(Vec<(String, i64)>, HashMap<String, String>)> {
        let ids: Vec<Uuid> = items.iter().filter_map(|item| Uuid::parse_str(&item.product_id).ok()).collect();
        let skus = if ids.is_empty() { HashMap::new() } else { skus_of(&self.app.databases.catalog, &ids).await? };
        let mut names = HashMap::new();
        let lines = items.iter().map(|item| {
            // What is nobody's id may still be a SKU.
            let sku = Uuid::parse_str(&item.product_id).ok().and_then(|id| skus.get(&id)).unwrap_or(&item.product_id);
            names.entry(sku.clone()).or_insert_with(|| item.product_id.clone());
            (sku.clone(), i64::from(item.quantity))
        });
        Ok((lines.collect(), names))
    }
}

/// `None`: an amount is too large for the message.
fn response(quote: &Quote, names: &HashMap<String, String>) -> Option<GetApplicableDiscountsResponse> {
    let discounts = quote.discounts.iter().map(|discount| {
        Some(Discount {
            discount_id: discount.promotion_id.to_string(),
            name: discount.name.clone(),
            amount_cents: i32::try_from(-discount.amount_cents).ok()?,
            applied_to_product_id: discount.sku.as_ref().and_then(|sku| names.get(sku)).cloned().unwrap_or_default(),
        })
    });
    let discounts = discounts.collect::<Option<_>>()?;
    Some(GetApplicableDiscountsResponse { discounts, total_discount_cents: i32::try_from(-quote.discount_cents).ok()? })
}

#[tonic::async_trait]
impl DiscountService for Discounts {
    async fn get_applicable_discounts(
        &self,
        request: Request<GetApplicableDiscountsRequest>,
    ) -> Result<Response<GetApplicableDiscountsResponse>, Status> {
        let _permit = self.app.request_permit()?;
        let (metadata, _, request) = request.into_parts();
        self.check(&metadata).await?;
        Ok(Response::new(self.answer(request).await?))
    }
}
