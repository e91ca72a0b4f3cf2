//! After the purchase: looking at the order, cancelling it, returning some of it.

use chimera_client::Key;
use chimera_client::types::{Cancellation, GetOrderQuery, ListOrdersQuery, NewReturn, Order, Status, Units};
use rand::Rng;

use super::checks;
use super::shopper::{Journey, Shopper};

/// Of all orders of accounts.
const CANCELLED: f64 = 0.15;
const RETURNED: f64 = 0.15;

impl Shopper {
    pub async fn change_mind(&mut self, order: Order) -> Journey<()> {
        let shown = self.ask("order", self.client.get_order(order.id, &GetOrderQuery::default())).await?;
        self.check("order", checks::standing(&shown, Status::Paid, 0))?;
        let newest = self.ask("orders", self.client.list_orders(&ListOrdersQuery { limit: Some(5), ..Default::default() })).await?;
        let is_first = newest.orders.first().map(|first| first.id) == Some(order.id);
        self.check("orders", if is_first { Ok(()) } else { Err(format!("{} is not the newest order", order.number)) })?;
        let mind: f64 = self.random.random();
        if mind < CANCELLED {
            self.cancel(&order).await
        } else if mind < CANCELLED + RETURNED {
            self.give_back(&order).await
        } else {
            Ok(())
        }
    }

    /// The money comes back, whole and once.
    async fn cancel(&mut self, order: &Order) -> Journey<()> {
        let body = Cancellation { reason: Some("ordered by mistake".to_owned()) };
        for _ in 0..2 {
            let cancelled = self.ask("cancel", self.client.cancel_order(order.id, &body)).await?;
            self.check("cancel", checks::standing(&cancelled.order, Status::Cancelled, order.total_cents.unwrap_or(0)))?;
        }
        self.shop.measures.came(|came| came.cancelled += 1);
        Ok(())
    }

    /// A unit of the first line comes back, and its part of the price.
    async fn give_back(&mut self, order: &Order) -> Journey<()> {
        let shop = self.shop.clone();
        let (Some(clerk), Some(line)) = (&shop.clerk, order.items.first()) else { return Ok(()) };
        let there = self.ask("deliver", clerk.deliver(order.id)).await?;
        self.check("deliver", checks::standing(&there, Status::Delivered, 0))?;
        let wanted = NewReturn { reason: "too small".to_owned(), items: vec![Units { line_no: line.line_no, quantity: 1 }] };
        let asked = self.ask("return", self.client.create_return(order.id, &Key::new(), &wanted)).await?.into_body().order;
        let Some(back) = asked.returns.last() else { return self.check("return", Err("it is not in the order".to_owned())) };
        let paid = line.paid_cents.unwrap_or(0);
        let is_share = if line.quantity == 1 { back.refund_cents == paid } else { (0..=paid).contains(&back.refund_cents) };
        self.check(
            "return",
            if is_share { Ok(()) } else { Err(format!("{} cents for one of {}, paid with {paid}", back.refund_cents, line.quantity)) },
        )?;
        let done = self.ask("take back", clerk.receive(order.id, back.id)).await?;
        let is_all = order.items.len() == 1 && line.quantity == 1;
        let status = if is_all { Status::Returned } else { Status::Delivered };
        self.check("take back", checks::standing(&done, status, back.refund_cents))?;
        self.shop.measures.came(|came| came.returned += 1);
        Ok(())
    }
}
