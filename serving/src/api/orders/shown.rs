//! An order as its buyer and the shop's people see it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::place::position;
use super::status::{self, Locked, Status, not_found};
use crate::api::access::{Caller, Role};
use crate::api::freshness::POSITION;
use crate::api::problem::{Problem, Result};
use crate::api::state::App;
use crate::api::users::address::PostalAddress;

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Order {
    pub id: Uuid,
    /// What people call it by.
    #[schema(example = "W-01JD3K7X2M-4F7QZ8")]
    pub number: String,
    pub status: Status,
    pub customer_id: Option<String>,
    pub placed_at: DateTime<Utc>,
    pub currency: String,
    /// `null`, as the four below: it was not paid for here.
    pub subtotal_cents: Option<i64>,
    pub discount_cents: Option<i64>,
    pub shipping_cents: Option<i64>,
    /// Within the total.
    pub tax_cents: Option<i64>,
    pub total_cents: Option<i64>,
    /// Given back, or about to be.
    pub refunded_cents: i64,
    pub items: Vec<Line>,
    pub email: Option<String>,
    pub shipping_address: Option<PostalAddress>,
    pub billing_address: Option<PostalAddress>,
    pub shipments: Vec<Shipment>,
    pub returns: Vec<Return>,
    /// Oldest first.
    pub history: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Line {
    pub line_no: i32,
    pub sku: String,
    pub name: Option<String>,
    pub quantity: i32,
    /// In units of the currency, as the catalogue had it.
    #[schema(value_type = String, example = "2.55")]
    pub unit_price: Decimal,
    /// Of the whole line, after discounts and with tax.
    pub paid_cents: Option<i64>,
    /// Units that are on their way or there.
    pub shipped: i64,
    /// Units that came back, or were cancelled.
    pub returned: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Shipment {
    pub id: Uuid,
    pub carrier: String,
    pub tracking_number: Option<String>,
    pub shipped_at: DateTime<Utc>,
    pub delivered_at: Option<DateTime<Utc>>,
    #[schema(value_type = Vec<Units>)]
    pub items: Vec<Units>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Return {
    pub id: Uuid,
    /// `requested`, `received` or `refused`.
    pub status: String,
    pub reason: String,
    pub refund_cents: i64,
    pub requested_at: DateTime<Utc>,
    pub decided_at: Option<DateTime<Utc>>,
    #[schema(value_type = Vec<Units>)]
    pub items: Vec<Units>,
}

/// Units of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Units {
    pub line_no: i32,
    #[schema(minimum = 1, maximum = 10000)]
    pub quantity: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = OrderEvent)]
pub struct Event {
    pub status: Status,
    pub note: Option<String>,
    pub occurred_at: DateTime<Utc>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ChangedOrder)]
pub struct OrderResponse {
    #[serde(flatten)]
    pub order: Order,
    /// Pass it as `after` to reads that have to include this.
    #[schema(example = "orders:24023128")]
    pub position: String,
}

/// Who looks at orders.
#[derive(Clone, Copy)]
pub enum Viewer {
    /// Sees their own.
    Shopper(Uuid),
    /// Sees all. `None`: by the operator's token.
    Staff(Option<Uuid>),
}

impl Viewer {
    pub fn of(caller: &Caller) -> Self {
        match (caller.role, caller.user_id) {
            (Role::Shopper | Role::Analyst, Some(user_id)) => Self::Shopper(user_id),
            (_, user_id) => Self::Staff(user_id),
        }
    }

    /// As an order's history names them.
    pub fn actor(&self) -> String {
        match self {
            Self::Shopper(user_id) | Self::Staff(Some(user_id)) => user_id.to_string(),
            Self::Staff(None) => "operator".to_owned(),
        }
    }

    /// Whose orders they see; `None`: everybody's.
    pub fn customer_id(&self) -> Option<String> {
        if let Self::Shopper(user_id) = self { Some(user_id.to_string()) } else { None }
    }

    fn sees(&self, customer_id: Option<&str>) -> bool {
        self.customer_id().is_none_or(|own| Some(own.as_str()) == customer_id)
    }

    /// # Errors
    /// `order-not-found`, also of somebody else's: nobody learns which orders there are.
    pub async fn lock(&self, connection: &mut PgConnection, id: Uuid) -> Result<Locked> {
        let order = status::lock(connection, id).await?;
        if self.sees(order.customer_id.as_deref()) { Ok(order) } else { Err(not_found(id)) }
    }

    pub async fn find(&self, pool: &PgPool, id: Uuid) -> Result<Order> {
        let order = find(pool, id).await?.filter(|order| self.sees(order.customer_id.as_deref()));
        order.ok_or_else(|| not_found(id))
    }
}

/// The answer to a change of an order.
pub async fn answer(app: &App, id: Uuid) -> Result<Response> {
    let shard = app.databases.shards.of(id);
    let position = position(shard).await?.to_string();
    let order = find(&shard.pool, id).await?.ok_or_else(|| not_found(id))?;
    let mut headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    headers.insert(POSITION, HeaderValue::from_str(&position).map_err(Problem::internal)?);
    Ok((StatusCode::OK, headers, axum::Json(OrderResponse { order, position })).into_response())
}

#[derive(sqlx::FromRow)]
struct Head {
    id: Uuid,
    number: String,
    status: Status,
    customer_id: Option<String>,
    placed_at: DateTime<Utc>,
    currency: String,
    subtotal_cents: Option<i64>,
    discount_cents: Option<i64>,
    shipping_cents: Option<i64>,
    tax_cents: Option<i64>,
    total_cents: Option<i64>,
    refunded_cents: i64,
    email: Option<String>,
    shipping: Option<Json<PostalAddress>>,
    billing: Option<Json<PostalAddress>>,
    items: Rows<Line>,
    shipments: Rows<Shipment>,
    returns: Rows<Return>,
    history: Rows<Event>,
}

/// What an order has several of; `None`: it has none.
type Rows<T> = Option<Json<Vec<T>>>;

fn rows<T>(rows: Rows<T>) -> Vec<T> {
    rows.map_or_else(Vec::new, |Json(rows)| rows)
}

/// All of an order, at one moment.
pub async fn find(pool: &PgPool, id: Uuid) -> Result<Option<Order>> {
    Ok(find_all(pool, &[id]).await?.pop())
}

/// All of these orders, at one moment and in this order; those that are not there are left out. One statement, for many as for one.
pub async fn find_all(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<Order>> {
    let heads: Vec<Head> = sqlx::query_as(
        "SELECT o.id, number, status::text AS status, customer_id, placed_at, currency, subtotal_cents, discount_cents, shipping_cents,
             tax_cents, total_cents, email, shipping, billing,
             (SELECT coalesce(sum(amount_cents), 0)::bigint FROM refunds WHERE order_id = o.id) AS refunded_cents,
             (SELECT json_agg(json_build_object('line_no', line_no, 'sku', sku, 'name', name, 'quantity', quantity,
                  'unit_price', unit_price::text, 'paid_cents', paid_cents,
                  'shipped', (SELECT coalesce(sum(s.quantity), 0) FROM shipments JOIN shipment_items s ON s.shipment_id = shipments.id
                              WHERE shipments.order_id = o.id AND s.line_no = i.line_no),
                  'returned', (SELECT coalesce(sum(-b.quantity), 0) FROM orders c JOIN order_items b ON b.order_id = c.id
                               WHERE c.parent_id = o.id AND b.line_no = i.line_no)) ORDER BY line_no)
              FROM order_items i WHERE i.order_id = o.id) AS items,
             (SELECT json_agg(json_build_object('id', id, 'carrier', carrier, 'tracking_number', tracking_number, 'shipped_at', shipped_at,
                  'delivered_at', delivered_at,
                  'items', (SELECT json_agg(json_build_object('line_no', line_no, 'quantity', quantity) ORDER BY line_no)
                            FROM shipment_items WHERE shipment_id = id)) ORDER BY id)
              FROM shipments WHERE order_id = o.id) AS shipments,
             (SELECT json_agg(json_build_object('id', id, 'status', r.status, 'reason', reason, 'refund_cents', refund_cents,
                  'requested_at', requested_at, 'decided_at', decided_at,
                  'items', (SELECT json_agg(json_build_object('line_no', line_no, 'quantity', quantity) ORDER BY line_no)
                            FROM return_items WHERE return_id = id)) ORDER BY id)
              FROM returns r WHERE order_id = o.id) AS returns,
             (SELECT json_agg(json_build_object('status', e.status, 'note', note, 'occurred_at', occurred_at) ORDER BY id)
              FROM order_events e WHERE order_id = o.id) AS history
         FROM orders o LEFT JOIN order_contacts c ON c.order_id = o.id WHERE o.id = ANY($1) AND kind = 'order'
         ORDER BY array_position($1, o.id)",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    let whole = |head: Head| Order {
        items: rows(head.items),
        shipments: rows(head.shipments),
        returns: rows(head.returns),
        history: rows(head.history),
        id: head.id,
        number: head.number,
        status: head.status,
        customer_id: head.customer_id,
        placed_at: head.placed_at,
        currency: head.currency,
        subtotal_cents: head.subtotal_cents,
        discount_cents: head.discount_cents,
        shipping_cents: head.shipping_cents,
        tax_cents: head.tax_cents,
        total_cents: head.total_cents,
        refunded_cents: head.refunded_cents,
        email: head.email,
        shipping_address: head.shipping.map(|Json(address)| address),
        billing_address: head.billing.map(|Json(address)| address),
    };
    Ok(heads.into_iter().map(whole).collect())
}
