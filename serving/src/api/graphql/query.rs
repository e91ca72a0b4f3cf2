//! What is read.

use async_graphql::{Context, ID, Object};

use super::asker::{Asker, page, uuid};
use super::fault::Result;
use super::types::cart::Cart;
use super::types::order::Order;
use super::types::product::Product;
use super::types::user::User;
use crate::api::carts::shown;
use crate::api::catalog::navigation::shelf;
use crate::api::orders::get::{OrderQuery, list};
use crate::api::orders::shown::find_all;
use crate::api::problem::{Problem, kinds};
use crate::api::products::get;
use crate::api::search::get::{SearchQuery, find};

pub struct Query;

#[Object]
impl Query {
    /// Whoever has logged in.
    #[graphql(complexity = "100 + child_complexity")]
    async fn me(&self, context: &Context<'_>) -> Result<User> {
        let asker = Asker::of(context);
        User::load(asker, asker.caller()?.user_id()?).await
    }

    /// For administrators, and of oneself.
    #[graphql(complexity = "100 + child_complexity")]
    async fn user(&self, context: &Context<'_>, id: ID) -> Result<User> {
        let (asker, user_id) = (Asker::of(context), uuid("id", &id)?);
        asker.check_is(user_id)?;
        User::load(asker, user_id).await
    }

    #[graphql(complexity = "100 + child_complexity")]
    async fn product(&self, context: &Context<'_>, id: ID) -> Result<Product> {
        let asker = Asker::of(context);
        Ok(Product(get::find(&asker.app, uuid("id", &id)?, &asker.after).await?.0.product))
    }

    /// What the shopper means, the best first. Prices are in hundredths of the currency, and included.
    #[graphql(complexity = "100 + first.clamp(0, 100) as usize * child_complexity")]
    #[allow(clippy::too_many_arguments)]
    async fn search_products(
        &self,
        context: &Context<'_>,
        query: String,
        category_id: Option<ID>,
        brand_id: Option<ID>,
        min_price: Option<u32>,
        max_price: Option<u32>,
        #[graphql(default = 20)] first: i32,
        #[graphql(default = 0)] offset: u32,
    ) -> Result<Vec<Product>> {
        let asker = Asker::of(context);
        let catalog = &asker.app.replica().catalog;
        // The index has names, which are unique.
        let category = match category_id {
            Some(id) => {
                let id = uuid("categoryId", &id)?;
                let found = shelf::categories(catalog, &[id]).await?.remove(&id);
                let missing = || Problem::new(&kinds::CATEGORY_NOT_FOUND, format!("There is no category {id}."));
                Some(found.ok_or_else(missing)?.name)
            }
            None => None,
        };
        let brand = match brand_id {
            Some(id) => {
                let id = uuid("brandId", &id)?;
                let missing = || Problem::new(&kinds::BRAND_NOT_FOUND, format!("There is no brand {id}."));
                Some(shelf::brand(catalog, id).await?.ok_or_else(missing)?.name)
            }
            None => None,
        };
        let (limit, offset) = (Some(page(first)?), Some(offset));
        let wanted = SearchQuery { q: Some(query), brand, category, min_price, max_price, limit, offset, ..SearchQuery::default() };
        let (results, _) = find(&asker.app, wanted, &asker.after).await?;
        Ok(results.hits.into_iter().map(|hit| Product(hit.product)).collect())
    }

    /// One's cart, by the log-in or by the header `chimera-cart`; null: nothing was ever put into it.
    #[graphql(complexity = "100 + child_complexity")]
    async fn cart(&self, context: &Context<'_>) -> Result<Option<Cart>> {
        let asker = Asker::of(context);
        let owner = asker.owner()?;
        Ok(Cart::of(owner, shown::cart(&asker.app, &owner).await?))
    }

    /// One's own; for the shop's people, any.
    #[graphql(complexity = "100 + child_complexity")]
    async fn order(&self, context: &Context<'_>, id: ID) -> Result<Order> {
        let asker = Asker::of(context);
        let id = uuid("id", &id)?;
        Ok(Order(asker.viewer()?.find(&asker.app.databases.shards.of(id).pool, id).await?))
    }

    /// One's own; for the shop's people, any account's. Newest first; `before` is the id of the last one of the page before.
    #[graphql(complexity = "100 + first.clamp(0, 100) as usize * child_complexity")]
    async fn orders(
        &self,
        context: &Context<'_>,
        user_id: ID,
        #[graphql(default = 20)] first: i32,
        before: Option<ID>,
    ) -> Result<Vec<Order>> {
        orders(context, Some(user_id.0), first, before).await
    }
}

/// A page of an account's orders, which are in one database: two reads for however many.
pub(super) async fn orders(context: &Context<'_>, customer_id: Option<String>, first: i32, before: Option<ID>) -> Result<Vec<Order>> {
    let asker = Asker::of(context);
    let before = before.map(|id| uuid("before", &id)).transpose()?;
    let query = OrderQuery { status: None, customer_id, before, limit: Some(page(first)?) };
    let listed = list(&asker.app, &asker.after, asker.viewer()?, query).await?;
    let ids: Vec<_> = listed.orders.iter().map(|order| order.id).collect();
    let Some(any) = ids.first() else { return Ok(vec![]) };
    Ok(find_all(&asker.app.databases.shards.of(*any).pool, &ids).await?.into_iter().map(Order).collect())
}
