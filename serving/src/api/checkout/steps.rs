//! The steps of a purchase. Each may be taken again, after a crash in its middle, by another process.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::order;
use super::saga::{Checkout, State, Step, move_on};
use crate::api::orders::cancel::{self, Cause};
use crate::api::orders::stock::give_back;
use crate::api::payments::{self, Charge, Outcome};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;
use crate::api::{carts, pricing};
use crate::shop::databases::begin;
use crate::shop::shards::Shard;

/// How long an order that is paid for waits for its cart.
const CART_WAITED_FOR: Duration = Duration::from_secs(1);

/// Whether a refusal in this state ends the purchase. In the others nobody can refuse: what fails is tried again.
pub(super) fn can_fail(state: State) -> bool {
    matches!(state, State::Reserved | State::Ordered)
}

pub(super) async fn take(app: &App, checkout: &Checkout) -> Result<Step> {
    match checkout.state {
        State::Reserved => authorise(app, checkout).await,
        State::Authorised => write_order(app, checkout).await,
        State::Ordered => capture(app, checkout).await,
        State::Captured => empty_cart(app, checkout).await,
        State::Releasing => release(app, checkout).await,
        State::Completed | State::Failed => Ok(Step::Done(checkout.state)),
    }
}

async fn authorise(app: &App, checkout: &Checkout) -> Result<Step> {
    let quote = &checkout.details.quote;
    if checkout.expires_at < Utc::now() {
        return Err(Problem::new(&kinds::CHECKOUT_EXPIRED, "The payment was not confirmed in time; the articles are not held any more."));
    }
    pricing::redeem(app, checkout.id, checkout.user_id, quote).await?;
    let token = checkout.payment_token.clone().unwrap_or_default();
    let charge = Charge { amount_cents: quote.total_cents, currency: quote.currency.clone(), token };
    match payments::authorise(app, checkout.id, &charge).await? {
        // Away from home the order is written before the purchase moves on: not while the purchase can still fail.
        Outcome::Authorised if !shard(app, checkout).is_home => {
            let mut connection = app.databases.orders.acquire().await?;
            move_on(&mut connection, checkout, State::Authorised).await?;
            Ok(Step::Done(State::Authorised))
        }
        Outcome::Authorised => write_order(app, checkout).await,
        Outcome::Pending => Ok(Step::Waiting),
        Outcome::Declined(code) => {
            Err(Problem::new(&kinds::PAYMENT_DECLINED, format!("The payment was declined ({code}).")).with("code", code))
        }
    }
}

async fn write_order(app: &App, checkout: &Checkout) -> Result<Step> {
    if let Some(mut transaction) = away(app, checkout).await? {
        order::insert(&mut transaction, checkout).await?;
        transaction.commit().await?;
    }
    let mut transaction = begin(&app.databases.orders).await?;
    // First, for its lock: whoever has lost the claim writes no order.
    move_on(&mut transaction, checkout, State::Ordered).await?;
    if shard(app, checkout).is_home {
        order::insert(&mut transaction, checkout).await?;
    }
    sqlx::query("DELETE FROM reservations WHERE checkout_id = $1").bind(checkout.id).execute(&mut *transaction).await?;
    transaction.commit().await?;
    metrics::counter!("chimera_orders_placed_total").increment(1);
    Ok(Step::Done(State::Ordered))
}

async fn capture(app: &App, checkout: &Checkout) -> Result<Step> {
    payments::capture(app, checkout.id).await?;
    if let Some(mut transaction) = away(app, checkout).await? {
        // It is there, unless its database was brought back from before it.
        order::insert(&mut transaction, checkout).await?;
        order::paid(&mut transaction, checkout.id).await?;
        transaction.commit().await?;
    }
    // Before anybody hears that it is paid, if that can be done at once. What was begun is done to its end, and once.
    let taking = tokio::spawn(take_from_cart(app.clone(), bought(checkout)));
    let state = match tokio::time::timeout(CART_WAITED_FOR, taking).await {
        Ok(Ok(Ok(()))) => State::Completed,
        _ => {
            tracing::warn!(checkout = %checkout.id, "what was bought leaves the cart later");
            State::Captured
        }
    };
    let mut transaction = begin(&app.databases.orders).await?;
    move_on(&mut transaction, checkout, state).await?;
    if shard(app, checkout).is_home {
        order::paid(&mut transaction, checkout.id).await?;
    }
    transaction.commit().await?;
    Ok(Step::Done(state))
}

async fn empty_cart(app: &App, checkout: &Checkout) -> Result<Step> {
    take_from_cart(app.clone(), bought(checkout)).await?;
    let mut connection = app.databases.orders.acquire().await?;
    move_on(&mut connection, checkout, State::Completed).await?;
    Ok(Step::Done(State::Completed))
}

/// Units of SKUs that leave a cart for a purchase.
struct Bought {
    checkout_id: Uuid,
    cart_id: Uuid,
    units: Vec<(String, i32)>,
}

fn bought(checkout: &Checkout) -> Bought {
    let lines = checkout.details.quote.lines.iter();
    let units = lines.map(|line| (line.sku.clone(), i32::try_from(line.quantity).unwrap_or(i32::MAX))).collect();
    Bought { checkout_id: checkout.id, cart_id: checkout.cart_id, units }
}

async fn take_from_cart(app: App, bought: Bought) -> Result<()> {
    carts::take_bought(&app, bought.cart_id, bought.checkout_id, &bought.units).await
}

/// Everything that was done, undone: in the services first, so that `failed` means that nothing is left.
async fn release(app: &App, checkout: &Checkout) -> Result<Step> {
    payments::void(app, checkout.id).await?;
    pricing::release(app, checkout.id).await?;
    let shard = shard(app, checkout);
    if let Some(mut transaction) = away(app, checkout).await? {
        cancel(shard, &mut transaction, checkout.id).await?;
        transaction.commit().await?;
    }
    let mut transaction = begin(&app.databases.orders).await?;
    move_on(&mut transaction, checkout, State::Failed).await?;
    let held: Vec<(String, i64)> = sqlx::query_as("DELETE FROM reservations WHERE checkout_id = $1 RETURNING sku, quantity")
        .bind(checkout.id)
        .fetch_all(&mut *transaction)
        .await?;
    give_back(&mut transaction, &held.into_iter().collect::<BTreeMap<_, _>>()).await?;
    if shard.is_home {
        cancel(shard, &mut transaction, checkout.id).await?;
    }
    transaction.commit().await?;
    Ok(Step::Done(State::Failed))
}

async fn cancel(shard: &Shard, connection: &mut PgConnection, id: Uuid) -> Result<()> {
    if order::exists(connection, id).await? {
        cancel::whole(shard, connection, id, &Cause { actor: "system", note: Some("the payment failed") }).await?;
    }
    Ok(())
}

/// Where the order is, or is to be.
fn shard<'a>(app: &'a App, checkout: &Checkout) -> &'a Shard {
    app.databases.shards.of(checkout.id)
}

/// The transaction in which a step changes an order away from home: before the purchase moves on. So whoever takes the step again, or has lost
/// the claim to it, may do the same once more. Each of these changes leaves alone what is done already, and in none of the states that follow
/// is there anything that it would undo.
async fn away(app: &App, checkout: &Checkout) -> Result<Option<Transaction<'static, Postgres>>> {
    let shard = shard(app, checkout);
    if shard.is_home { Ok(None) } else { Ok(Some(begin(&shard.pool).await?)) }
}
