//! What is changed. A request takes five of these at most: each costs 1000.

use async_graphql::{Context, ID, InputObject, Object};
use axum::http::{HeaderMap, HeaderValue};

use super::asker::{Asker, uuid};
use super::fault::Result;
use super::types::address::PostalAddressInput;
use super::types::cart::Cart;
use super::types::order::Order;
use super::types::user::User;
use crate::api::carts::{Owner, items, shown};
use crate::api::checkout::create::buy;
use crate::api::checkout::request::NewCheckout;
use crate::api::extract::invalid;
use crate::api::orders::idempotency::Key;
use crate::api::orders::shown::find;
use crate::api::pricing::ShippingMethod;
use crate::api::problem::{self, Problem, kinds};
use crate::api::products::prices::skus_of;
use crate::api::users::profile::{self, NewProfile};

pub struct Mutation;

/// A whole profile: what is left out is as if it had never been said.
#[derive(InputObject)]
pub struct UserProfileUpdateInput {
    first_name: String,
    last_name: String,
    phone_number: Option<String>,
    /// By ISO 4217; USD if not given.
    preferred_currency: Option<String>,
    #[graphql(default)]
    marketing_opt_in: bool,
}

/// Buys what is in the cart. Prices are not part of it.
#[derive(InputObject)]
pub struct PlaceOrderInput {
    /// New for every purchase, the same when that purchase is sent again: so it is made once.
    idempotency_key: String,
    /// What the payment provider gave for the card. The simulated one takes `tok_visa`, `tok_declined` and others.
    payment_token: String,
    /// Where the confirmation goes; needed of guests.
    email: Option<String>,
    /// Left out: one's default address for shipping.
    shipping_address: Option<PostalAddressInput>,
    /// In its place: one of one's addresses.
    shipping_address_id: Option<ID>,
    /// Left out: the same.
    billing_address: Option<PostalAddressInput>,
    #[graphql(default)]
    coupons: Vec<String>,
    /// `standard`, if not given, or `express`.
    shipping_method: Option<String>,
    /// What the shopper was shown, in hundredths of the currency: if it costs something else, nothing is bought.
    total: Option<i64>,
}

#[Object]
impl Mutation {
    #[graphql(complexity = "1000 + child_complexity")]
    async fn update_profile(&self, context: &Context<'_>, input: UserProfileUpdateInput) -> Result<User> {
        let asker = Asker::of(context);
        let user_id = asker.caller()?.user_id()?;
        let profile = NewProfile {
            first_name: input.first_name,
            last_name: input.last_name,
            phone_number: input.phone_number,
            preferred_currency: input.preferred_currency,
            marketing_opt_in: input.marketing_opt_in,
        };
        profile::save(&asker.app.databases.users, user_id, &profile).await?;
        User::load(asker, user_id).await
    }

    /// Puts units in beside those that are there: of a product, or of a SKU. A guest's first article brings `guestToken`.
    #[graphql(complexity = "1000 + child_complexity")]
    async fn add_cart_item(
        &self,
        context: &Context<'_>,
        product_id: Option<ID>,
        sku: Option<String>,
        quantity: i64,
        idempotency_key: Option<String>,
    ) -> Result<Cart> {
        let asker = Asker::of(context);
        let sku = sku_of(asker, product_id, sku).await?;
        let key = idempotency_key.map(|key| self::key(&key)).transpose()?;
        let item = items::NewCartItem { sku, quantity };
        changed(asker.owner()?, items::add(&asker.app, asker.owner()?, &item, key.as_ref()).await?)
    }

    /// So many units from now on of something that is in the cart.
    #[graphql(complexity = "1000 + child_complexity")]
    async fn update_cart_item(&self, context: &Context<'_>, product_id: Option<ID>, sku: Option<String>, quantity: i64) -> Result<Cart> {
        let asker = Asker::of(context);
        let sku = sku_of(asker, product_id, sku).await?;
        changed(asker.owner()?, items::set(&asker.app, asker.owner()?, &sku, quantity).await?)
    }

    #[graphql(complexity = "1000 + child_complexity")]
    async fn remove_cart_item(&self, context: &Context<'_>, product_id: Option<ID>, sku: Option<String>) -> Result<Cart> {
        let asker = Asker::of(context);
        let sku = sku_of(asker, product_id, sku).await?;
        changed(asker.owner()?, items::remove(&asker.app, asker.owner()?, &sku).await?)
    }

    /// All of it, or nothing: the articles are had, the money is taken, and this is the order. `order-in-flight`: it is not decided yet; send
    /// the same again.
    #[graphql(complexity = "1000 + child_complexity")]
    async fn place_order(&self, context: &Context<'_>, input: PlaceOrderInput) -> Result<Order> {
        let asker = Asker::of(context);
        let key = key(&input.idempotency_key)?;
        let (checkout, _) = buy(&asker.app, asker.owner()?, &key, &input.read()?).await?;
        if let Some(problem) = &checkout.problem {
            return Err(Problem::from_saved(problem).with("checkout_id", checkout.id).into());
        }
        if !checkout.is_paid() {
            let pending = Problem::new(&kinds::ORDER_IN_FLIGHT, "The purchase is not decided yet: send the same again, with the same key.");
            return Err(pending.with("checkout_id", checkout.id).into());
        }
        let order = find(&asker.app.databases.shards.of(checkout.id).pool, checkout.id).await?;
        Ok(Order(order.ok_or_else(|| Problem::internal("a purchase that is paid has no order"))?))
    }
}

impl PlaceOrderInput {
    fn read(self) -> problem::Result<NewCheckout> {
        let shipping_method = match self.shipping_method.as_deref() {
            None | Some("standard") => ShippingMethod::Standard,
            Some("express") => ShippingMethod::Express,
            Some(_) => return Err(invalid("shippingMethod", "this is neither `standard` nor `express`")),
        };
        Ok(NewCheckout {
            email: self.email,
            shipping_address: self.shipping_address.map(Into::into),
            shipping_address_id: self.shipping_address_id.map(|id| uuid("shippingAddressId", &id)).transpose()?,
            billing_address: self.billing_address.map(Into::into),
            coupons: self.coupons,
            shipping_method,
            payment_token: self.payment_token,
            total_cents: self.total,
        })
    }
}

/// By the rules of the header.
fn key(text: &str) -> problem::Result<Key> {
    let bad = |_| Problem::new(&kinds::IDEMPOTENCY_KEY_NEEDED, "`idempotencyKey` has characters other than visible ASCII.");
    let value = HeaderValue::from_str(text).map_err(bad)?;
    Key::from_headers(&HeaderMap::from_iter([("idempotency-key".parse().map_err(Problem::internal)?, value)]))
}

/// The SKU that is meant: the product's own, if it is said by its id.
async fn sku_of(asker: &Asker, product_id: Option<ID>, sku: Option<String>) -> problem::Result<String> {
    match (product_id, sku) {
        (None, Some(sku)) => Ok(sku),
        (Some(id), None) => {
            let id = uuid("productId", &id)?;
            let found = skus_of(&asker.app.databases.catalog, &[id]).await?.remove(&id);
            found.ok_or_else(|| Problem::new(&kinds::PRODUCT_NOT_FOUND, format!("No product or variant has the id {id}.")))
        }
        _ => Err(invalid("productId", "send either `productId` or `sku`")),
    }
}

fn changed(owner: Owner, cart: shown::Cart) -> Result<Cart> {
    Cart::of(owner, cart).ok_or_else(|| Problem::internal("a cart that was changed is not there").into())
}
