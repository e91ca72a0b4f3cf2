//! What is followed.

use async_graphql::{Context, ID, Subscription};
use futures::{Stream, StreamExt};

use super::asker::{Asker, uuid};
use super::fault::{Fault, Result};
use super::types::cart::Cart;
use super::types::order::Order;
use crate::api::live;

pub struct Subscription;

#[Subscription]
impl Subscription {
    /// An order that one may see: now, and whenever something of it has changed.
    async fn on_order_status_update(&self, context: &Context<'_>, order_id: ID) -> Result<impl Stream<Item = Result<Order>> + use<>> {
        let asker = Asker::of(context);
        let states = live::order(&asker.app, asker.viewer()?, uuid("orderId", &order_id)?).await?;
        Ok(states.map(|order| order.map(Order).map_err(Fault::from)))
    }

    /// One's cart: now, and whenever it has changed, also on another device. Null: there is none, or none any more: a
    /// log-in took it along, or it was left for too long.
    async fn on_cart_update(&self, context: &Context<'_>) -> Result<impl Stream<Item = Result<Option<Cart>>> + use<>> {
        let asker = Asker::of(context);
        let owner = asker.owner()?;
        let states = live::cart(&asker.app, owner).await?;
        Ok(states.map(move |cart| cart.map(|cart| Cart::of(owner, cart)).map_err(Fault::from)))
    }
}
