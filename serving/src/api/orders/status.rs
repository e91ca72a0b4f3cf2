//! Where an order is on its way, and which way it may go on.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::problem::{Problem, Result, kinds};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// Written; if it is paid for here, its payment is being taken.
    Placed,
    Paid,
    /// Some of it is on its way.
    PartiallyShipped,
    Shipped,
    Delivered,
    /// Nothing was sent, and nothing will be.
    Cancelled,
    /// All of it came back.
    Returned,
}

impl Status {
    pub const ALL: [Self; 7] =
        [Self::Placed, Self::Paid, Self::PartiallyShipped, Self::Shipped, Self::Delivered, Self::Cancelled, Self::Returned];

    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::PartiallyShipped => "partially_shipped",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    /// `is_paid_here`: whether its money is taken by the checkout. Others are as good as paid when they are placed.
    pub fn may_become(self, next: Self, is_paid_here: bool) -> bool {
        match self {
            Self::Placed if is_paid_here => matches!(next, Self::Paid | Self::Cancelled),
            Self::Placed | Self::Paid => matches!(next, Self::PartiallyShipped | Self::Shipped | Self::Cancelled),
            Self::PartiallyShipped => matches!(next, Self::PartiallyShipped | Self::Shipped),
            Self::Shipped => matches!(next, Self::Delivered | Self::Returned),
            Self::Delivered => next == Self::Returned,
            Self::Cancelled | Self::Returned => false,
        }
    }
}

/// An order whose row is locked until the transaction ends.
#[derive(Debug, sqlx::FromRow)]
pub struct Locked {
    pub id: Uuid,
    pub number: String,
    pub customer_id: Option<String>,
    pub country: String,
    pub currency: String,
    pub status: Status,
    /// `None`: it is not paid for here.
    pub total_cents: Option<i64>,
    pub shipping_cents: Option<i64>,
}

/// # Errors
/// `order-not-found`; cancellations are no orders that anything is done with.
pub async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Locked> {
    sqlx::query_as(
        "SELECT id, number, customer_id, country, currency, status::text AS status, total_cents, shipping_cents FROM orders
         WHERE id = $1 AND kind = 'order' FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| not_found(id))
}

pub fn not_found(id: Uuid) -> Problem {
    Problem::new(&kinds::ORDER_NOT_FOUND, format!("There is no order {id} of yours."))
}

/// Moves a locked order on, and writes it into its history.
///
/// # Errors
/// `order-state` if it may not go there.
pub async fn set(connection: &mut PgConnection, order: &Locked, next: Status, actor: &str, note_text: Option<&str>) -> Result<()> {
    if !order.status.may_become(next, order.total_cents.is_some()) {
        return Err(wrong(order, &format!("become {}", next.name())));
    }
    sqlx::query(
        "WITH moved AS (UPDATE orders SET status = $3 WHERE id = $2 RETURNING id)
         INSERT INTO order_events (id, order_id, status, actor, note) SELECT $1, id, $3, $4, $5 FROM moved",
    )
    .bind(Uuid::now_v7())
    .bind(order.id)
    .bind(next)
    .bind(actor)
    .bind(note_text)
    .execute(connection)
    .await?;
    Ok(())
}

pub fn wrong(order: &Locked, what: &str) -> Problem {
    let detail = format!("Order {} is {} and cannot {what}.", order.number, order.status.name());
    Problem::new(&kinds::ORDER_STATE, detail).with("order_status", order.status)
}

pub async fn note(connection: &mut PgConnection, order_id: Uuid, status: Status, actor: &str, note: Option<&str>) -> Result<()> {
    sqlx::query("INSERT INTO order_events (id, order_id, status, actor, note) VALUES ($1, $2, $3, $4, $5)")
        .bind(Uuid::now_v7())
        .bind(order_id)
        .bind(status)
        .bind(actor)
        .bind(note)
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_an_end_and_money_comes_before_goods() {
        for next in Status::ALL {
            assert!(!Status::Cancelled.may_become(next, true) && !Status::Returned.may_become(next, false));
            let is_sent = matches!(next, Status::PartiallyShipped | Status::Shipped);
            assert_eq!(Status::Placed.may_become(next, false), is_sent || next == Status::Cancelled, "{next:?}");
            assert!(!(is_sent && Status::Placed.may_become(next, true)), "{next:?} before it is paid");
        }
        assert!(!Status::Shipped.may_become(Status::Cancelled, true), "what is on its way comes back, but is not cancelled");
    }
}
