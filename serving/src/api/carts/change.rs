//! Changes that a shopper makes.

use uuid::Uuid;

use super::contents::{self, Contents, contents};
use super::locked::Locked;
use super::owner::Owner;
use super::{copy, lines};
use crate::api::orders::idempotency::Key;
use crate::api::problem::Result;
use crate::api::products::prices::{Price, prices};
use crate::api::state::App;

/// Puts units in beside those that are there, once a key. Besides what the cart holds then, the token of a guest whose first cart this is.
pub async fn add(app: &App, owner: Owner, sku: &str, quantity: i32, key: Option<&Key>) -> Result<(Contents, Option<String>)> {
    let price = price(app, sku).await?.ok_or_else(|| lines::not_offered(sku))?;
    let (owner, token) = owner.or_new_guest()?;
    let mut cart = Locked::find_or_make(&app.databases.carts, owner).await?;
    if let Some(key) = key
        && !cart.is_first(key, sku, quantity).await?
    {
        return Ok((cart.unchanged(), token));
    }
    lines::add(&mut cart.lines, sku, quantity, &price)?;
    Ok((cart.commit(app).await?, token))
}

/// So many units from now on of an article that is there.
pub async fn set(app: &App, owner: Owner, sku: &str, quantity: i32) -> Result<Contents> {
    let price = price(app, sku).await?;
    let mut cart = Locked::find(&app.databases.carts, owner).await?.ok_or_else(|| lines::not_in_cart(sku))?;
    lines::set(&mut cart.lines, sku, quantity, price.as_ref())?;
    cart.commit(app).await
}

pub async fn remove(app: &App, owner: Owner, sku: &str) -> Result<Contents> {
    let mut cart = Locked::find(&app.databases.carts, owner).await?.ok_or_else(|| lines::not_in_cart(sku))?;
    lines::remove(&mut cart.lines, sku)?;
    cart.commit(app).await
}

/// `None`: there is no cart to empty.
pub async fn clear(app: &App, owner: Owner) -> Result<Option<Contents>> {
    let Some(mut cart) = Locked::find(&app.databases.carts, owner).await? else { return Ok(None) };
    cart.lines.clear();
    cart.commit(app).await.map(Some)
}

/// Puts a guest's cart into an account's. The guest's is gone then, so that doing it twice is as good as once.
///
/// The account's cart is locked before the guest's, always: two merges never wait for each other in a circle.
pub async fn merge(app: &App, user_id: Uuid, guest: Owner) -> Result<Option<Contents>> {
    let (pool, user) = (&app.databases.carts, Owner::User(user_id));
    // An account need not have a cart because a guest had one once.
    if !contents::is_there(pool, &guest).await? {
        return contents(app, &user).await;
    }
    let mut cart = Locked::find_or_make(pool, user).await?;
    cart.take_in(&guest).await?;
    let contents = cart.commit(app).await?;
    if let Some(key) = guest.key() {
        copy::remove(&app.redis, &key).await;
    }
    Ok(Some(contents))
}

/// `None`: the catalogue does not offer it.
async fn price(app: &App, sku: &str) -> Result<Option<Price>> {
    Ok(prices(&app.databases.catalog, &[sku.to_owned()]).await?.remove(sku))
}
