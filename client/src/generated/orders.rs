//! Of `orders`.

use reqwest::{Method, Response};
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Key, Result};

impl Client {
    /// One's orders; for merchandisers, programs of the shop's and administrators everybody's.
    ///
    /// `GET /api/v1/orders`
    pub async fn list_orders(&self, query: &ListOrdersQuery) -> Result<Answer<Orders>> {
        self.call(Method::GET, &["api", "v1", "orders"]).query(query.pairs()).typed().await
    }

    /// Places an order that is paid elsewhere, for programs of the shop's: the prices are the catalogue's, the stock is taken in the same
    /// transaction, all lines or none. Shoppers buy with POST /api/v1/checkout.
    ///
    /// `POST /api/v1/orders`
    pub async fn create_order(&self, key: &Key, body: &NewOrder) -> Result<Answer<OrderResponse>> {
        self.call(Method::POST, &["api", "v1", "orders"]).key(Some(key)).json(body).typed().await
    }

    /// An order of one's own; for the shop's people, any.
    ///
    /// `GET /api/v1/orders/{id}`
    pub async fn get_order(&self, id: Uuid, query: &GetOrderQuery) -> Result<Answer<Order>> {
        self.call(Method::GET, &["api", "v1", "orders", &id.to_string()]).query(query.pairs()).typed().await
    }

    /// Cancels an order of which nothing has been sent: its articles can be had again, and its money is given back. Done again it changes nothing.
    ///
    /// `POST /api/v1/orders/{id}/cancel`
    pub async fn cancel_order(&self, id: Uuid, body: &Cancellation) -> Result<Answer<ChangedOrder>> {
        self.call(Method::POST, &["api", "v1", "orders", &id.to_string(), "cancel"]).json(body).typed().await
    }

    /// An order of one's own as it changes: an event `order` now, and one whenever it is another. The stream ends with the session.
    ///
    /// `GET /api/v1/orders/{id}/events`
    pub async fn order_events(&self, id: Uuid) -> Result<Response> {
        self.call(Method::GET, &["api", "v1", "orders", &id.to_string(), "events"]).raw().await
    }

    /// Asks to give articles back that were sent.
    ///
    /// `POST /api/v1/orders/{id}/returns`
    pub async fn create_return(&self, id: Uuid, key: &Key, body: &NewReturn) -> Result<Answer<ChangedOrder>> {
        self.call(Method::POST, &["api", "v1", "orders", &id.to_string(), "returns"]).key(Some(key)).json(body).typed().await
    }

    /// Takes returned articles back, or refuses them. Said again, nothing changes.
    ///
    /// `POST /api/v1/orders/{id}/returns/{return_id}`
    pub async fn decide_return(&self, id: Uuid, return_id: Uuid, body: &ReturnDecision) -> Result<Answer<ChangedOrder>> {
        self.call(Method::POST, &["api", "v1", "orders", &id.to_string(), "returns", &return_id.to_string()]).json(body).typed().await
    }

    /// Sends some of an order, or what is left of it.
    ///
    /// `POST /api/v1/orders/{id}/shipments`
    pub async fn create_shipment(&self, id: Uuid, key: &Key, body: &NewShipment) -> Result<Answer<ChangedOrder>> {
        self.call(Method::POST, &["api", "v1", "orders", &id.to_string(), "shipments"]).key(Some(key)).json(body).typed().await
    }

    /// Says that a shipment has arrived. With the last one of an order that was sent whole, the order is delivered.
    ///
    /// `POST /api/v1/orders/{id}/shipments/{shipment_id}/delivered`
    pub async fn deliver_shipment(&self, id: Uuid, shipment_id: Uuid) -> Result<Answer<ChangedOrder>> {
        self.call(Method::POST, &["api", "v1", "orders", &id.to_string(), "shipments", &shipment_id.to_string(), "delivered"]).typed().await
    }

    /// Orders and carts as they change. A WebSocket of JSON messages: `authenticate`, `subscribe`, `unsubscribe`, `ping`.
    ///
    /// `GET /ws`
    pub async fn open_websocket(&self) -> Result<Answer<()>> {
        self.call(Method::GET, &["ws"]).empty().await
    }
}
