//! Orders.

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, SimpleObject};

use super::address::PostalAddress;
use super::product::Product;
use super::time;
use crate::api::graphql::asker::id;
use crate::api::graphql::fault::Result;
use crate::api::graphql::loaders::{Loads, PriceOf, ProductOf};
use crate::api::orders::shown;

pub struct Order(pub shown::Order);

#[Object]
impl Order {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What people call it by.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// Null: a guest's.
    async fn user_id(&self) -> Option<ID> {
        self.0.customer_id.clone().map(ID)
    }

    async fn billing_address(&self) -> Option<PostalAddress> {
        self.0.billing_address.clone().map(PostalAddress::from)
    }

    async fn shipping_address(&self) -> Option<PostalAddress> {
        self.0.shipping_address.clone().map(PostalAddress::from)
    }

    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn items(&self) -> Vec<OrderItem> {
        self.0.items.iter().cloned().map(OrderItem).collect()
    }

    /// In hundredths of the currency. Null, as the four below: it was not paid for here.
    async fn subtotal(&self) -> Option<i64> {
        self.0.subtotal_cents
    }

    async fn shipping(&self) -> Option<i64> {
        self.0.shipping_cents
    }

    /// Within the total.
    async fn tax(&self) -> Option<i64> {
        self.0.tax_cents
    }

    async fn discount(&self) -> Option<i64> {
        self.0.discount_cents
    }

    async fn total(&self) -> Option<i64> {
        self.0.total_cents
    }

    /// Given back, or about to be.
    async fn refunded(&self) -> i64 {
        self.0.refunded_cents
    }

    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// `placed`, `paid`, `partially_shipped`, `shipped`, `delivered`, `cancelled` or `returned`.
    async fn status(&self) -> &'static str {
        self.0.status.name()
    }

    async fn created_at(&self) -> String {
        time(self.0.placed_at)
    }

    /// When its status last changed.
    async fn updated_at(&self) -> String {
        time(self.0.history.last().map_or(self.0.placed_at, |event| event.occurred_at))
    }

    /// Oldest first.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn history(&self) -> Vec<OrderEvent> {
        let event = |event: &shown::Event| OrderEvent {
            status: event.status.name().to_owned(),
            note: event.note.clone(),
            occurred_at: time(event.occurred_at),
        };
        self.0.history.iter().map(event).collect()
    }
}

/// A status that an order came to.
#[derive(SimpleObject)]
pub struct OrderEvent {
    status: String,
    note: Option<String>,
    occurred_at: String,
}

pub struct OrderItem(shown::Line);

#[Object]
impl OrderItem {
    async fn line_no(&self) -> i32 {
        self.0.line_no
    }

    async fn sku(&self) -> &str {
        &self.0.sku
    }

    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// As it was called when it was bought; null: it was not noted.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// In units of the currency, as the catalogue had it.
    async fn unit_price(&self) -> String {
        self.0.unit_price.to_string()
    }

    /// In hundredths of the currency, of the whole line.
    async fn paid(&self) -> Option<i64> {
        self.0.paid_cents
    }

    async fn shipped(&self) -> i64 {
        self.0.shipped
    }

    async fn returned(&self) -> i64 {
        self.0.returned
    }

    /// Null: the shop does not show it any more.
    async fn product_id(&self, context: &Context<'_>) -> Result<Option<ID>> {
        Ok(self.load(context).await?.map(|product| id(product.0.id)))
    }

    async fn product(&self, context: &Context<'_>) -> Result<Option<Product>> {
        self.load(context).await
    }

    /// What a unit costs today, in hundredths of the currency; null: it is offered no more.
    async fn current_price(&self, context: &Context<'_>) -> Result<Option<i64>> {
        let price = context.data_unchecked::<DataLoader<Loads>>().load_one(PriceOf(self.0.sku.clone())).await?;
        Ok(price.map(|price| price.cents))
    }
}

impl OrderItem {
    async fn load(&self, context: &Context<'_>) -> Result<Option<Product>> {
        Ok(context.data_unchecked::<DataLoader<Loads>>().load_one(ProductOf(self.0.sku.clone())).await?.map(Product))
    }
}
