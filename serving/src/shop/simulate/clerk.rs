//! One of the shop's people, who may what shoppers may not.

use chimera_client::types::{Decision, ListPromotionsQuery, NewCoupons, NewShipment, Order, ReturnDecision, Rule, Terms};
use chimera_client::{Client, Key, Result};
use uuid::Uuid;

/// Of the coupon that shoppers bring.
const PROMOTION: &str = "Simulated shoppers";
pub const COUPON: &str = "SIMULATED-10";
/// A tenth.
pub const BASIS_POINTS: i64 = 1_000;

pub struct Clerk {
    client: Client,
}

impl Clerk {
    /// `None`: the shop does not know the client as one of its people. Sees to it that there is a coupon.
    pub async fn hire(client: Client) -> Result<Option<Self>> {
        let mut query = ListPromotionsQuery::default();
        loop {
            let page = match client.list_promotions(&query).await {
                Ok(page) => page.into_body(),
                Err(error) if matches!(error.status(), Some(401 | 403)) => return Ok(None),
                Err(error) => return Err(error),
            };
            if page.promotions.iter().any(|promotion| promotion.name == PROMOTION) {
                return Ok(Some(Self { client }));
            }
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        let terms = Terms {
            name: PROMOTION.to_owned(),
            rule: Rule::Percentage { basis_points: BASIS_POINTS },
            scope: None,
            currency: None,
            minimum_basket_cents: None,
            starts_at: None,
            ends_at: None,
            needs_coupon: Some(true),
            priority: None,
            is_exclusive: None,
            max_redemptions: None,
            max_per_customer: None,
            is_active: None,
        };
        let promotion = client.create_promotion(&terms).await?;
        let coupons = NewCoupons { codes: Some(vec![COUPON.to_owned()]), ..Default::default() };
        client.create_coupons(promotion.id, &coupons).await?;
        Ok(Some(Self { client }))
    }

    /// Sends all of an order, and hears that it is there.
    pub async fn deliver(&self, order: Uuid) -> Result<Order> {
        let parcel = NewShipment { carrier: "Simulated Mail".to_owned(), ..Default::default() };
        let sent = self.client.create_shipment(order, &Key::new(), &parcel).await?;
        let mut last = sent.into_body().order;
        for shipment in last.shipments.clone() {
            last = self.client.deliver_shipment(order, shipment.id).await?.into_body().order;
        }
        Ok(last)
    }

    /// Takes back what a shopper returns.
    pub async fn receive(&self, order: Uuid, returned: Uuid) -> Result<Order> {
        let decision = ReturnDecision { decision: Decision::Received };
        Ok(self.client.decide_return(order, returned, &decision).await?.into_body().order)
    }
}
