//! Carts.

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object};

use super::product::Product;
use super::time;
use crate::api::carts::{Owner, contents, shown};
use crate::api::graphql::asker::{Asker, id};
use crate::api::graphql::fault::Result;
use crate::api::graphql::loaders::{Loads, ProductOf};
use crate::api::pricing::{self, ShippingMethod};

/// One that something was put into.
pub struct Cart {
    id: uuid::Uuid,
    owner: Owner,
    shown: shown::Cart,
}

impl Cart {
    /// `None`: nothing was ever put into it.
    pub fn of(owner: Owner, shown: shown::Cart) -> Option<Self> {
        shown.id.map(|id| Self { id, owner, shown })
    }
}

/// A cart, at today's prices.
#[Object]
impl Cart {
    async fn id(&self) -> ID {
        id(self.id)
    }

    /// Null: a guest's.
    async fn user_id(&self) -> Option<ID> {
        if let Owner::User(user_id) = self.owner { Some(id(user_id)) } else { None }
    }

    /// Counts the changes.
    async fn version(&self) -> i64 {
        self.shown.version
    }

    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn items(&self) -> Vec<CartItem> {
        self.shown.items.iter().cloned().map(CartItem).collect()
    }

    /// Units of all items.
    async fn total_items(&self) -> i64 {
        self.shown.total_items
    }

    /// In hundredths of the currency, of those items that are offered in it, before discounts.
    async fn subtotal(&self) -> i64 {
        self.shown.subtotal_cents
    }

    /// Likewise after the discounts that need no coupon, without shipping and tax. Null, with an error, while something cannot be ordered.
    #[graphql(complexity = 100)]
    async fn total_price(&self, context: &Context<'_>) -> Result<Option<i64>> {
        let asker = Asker::of(context);
        let user_id = if let Owner::User(user_id) = self.owner { Some(user_id) } else { None };
        let lines: Vec<(String, i64)> = self.shown.items.iter().map(|item| (item.sku.clone(), i64::from(item.quantity))).collect();
        let basket = pricing::basket(&asker.app, user_id, &lines, vec![], None, ShippingMethod::default()).await?;
        Ok(Some(pricing::quote(&asker.app, &basket).await?.total_cents))
    }

    /// Null: nothing in the cart is offered.
    async fn currency(&self) -> Option<&str> {
        self.shown.currency.as_deref()
    }

    /// Whether all of it can be ordered as it is, as far as is known.
    async fn is_ready(&self) -> bool {
        self.shown.is_ready
    }

    /// To the hour.
    #[graphql(complexity = 20)]
    async fn last_accessed_at(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(contents::last_accessed(&Asker::of(context).app.databases.carts, self.id).await?.map(time))
    }

    /// Once, to a guest whose first article this is: the header `chimera-cart` from now on.
    async fn guest_token(&self) -> Option<&str> {
        self.shown.guest_token.as_deref()
    }
}

pub struct CartItem(shown::CartItem);

#[Object]
impl CartItem {
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// Of a variant too it is the product's, as are the name and the picture. Null: it is offered no more.
    async fn product_id(&self) -> Option<ID> {
        self.0.product_id.map(id)
    }

    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    async fn image_url(&self) -> Option<&str> {
        self.0.image_url.as_deref()
    }

    /// Units of this SKU that can be ordered. Null: the stores do not know.
    async fn available_stock(&self) -> Option<i64> {
        self.0.available
    }

    /// Of one unit, in hundredths of the currency; null: it is offered no more.
    async fn price(&self) -> Option<i64> {
        self.0.unit_price_cents
    }

    async fn total_price(&self) -> Option<i64> {
        self.0.total_cents
    }

    /// Why it cannot be ordered like this: `not_offered`, `not_enough_stock` or `other_currency`.
    async fn obstacle(&self) -> Option<&'static str> {
        self.0.obstacle.map(shown::CartObstacle::name)
    }

    async fn product(&self, context: &Context<'_>) -> Result<Option<Product>> {
        Ok(context.data_unchecked::<DataLoader<Loads>>().load_one(ProductOf(self.0.sku.clone())).await?.map(Product))
    }
}
