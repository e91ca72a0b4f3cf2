//! Writes the sample shop into the databases, once.

use std::collections::HashMap;
use std::num::NonZero;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::words::MAKERS;
use super::{Item, SEED, items};
use crate::shop::bulk::{self, Stock};
use crate::shop::databases::Databases;
use crate::shop::databases::begin;
use crate::shop::orders::{self, Order};

/// Under this reference the opening stock is booked.
const OPENING_STOCK: &str = "sample opening stock";
/// Orders a transaction.
const BATCH: usize = 500;

/// The sample shop could not be written.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL refused {what} of the sample shop: {source}")]
pub struct Error {
    what: &'static str,
    source: sqlx::Error,
}

/// What a load added; nothing the second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    pub products: u64,
    pub orders: u64,
    pub order_lines: u64,
}

/// Whether the catalogue has no products at all.
pub async fn is_empty(databases: &Databases) -> Result<bool, Error> {
    let refused = |source| Error { what: "a look at the catalogue", source };
    sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM products)").fetch_one(&databases.catalog).await.map_err(refused)
}

/// Whether the sample shop is what the catalogue holds, or a part of it.
pub async fn is_loaded(databases: &Databases) -> Result<bool, Error> {
    let refused = |source| Error { what: "a look at the catalogue", source };
    let first = items().first().map(|item| item.product.id()).unwrap_or_default();
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM products WHERE id = $1)")
        .bind(first)
        .fetch_one(&databases.catalog)
        .await
        .map_err(refused)
}

/// Writes what is missing of the sample shop, as of `now`. The catalogue comes last: while it is empty, the load was not finished.
pub async fn load(databases: &Databases, now: DateTime<Utc>) -> Result<Loaded, Error> {
    let items = items();
    // Pictures are the slow part: they are drawn while PostgreSQL writes the rest.
    let drawing = tokio::task::spawn_blocking({
        let items = items.clone();
        move || pictures(&items)
    });
    let history = super::orders(&items, now);
    let mut loaded = Loaded::default();

    let refused = |what| move |source| Error { what, source };
    let mut transaction = begin(&databases.inventory).await.map_err(refused("the stock"))?;
    bulk::write_stock(&mut transaction, OPENING_STOCK, &stock(&items, &history)).await.map_err(refused("the stock"))?;
    transaction.commit().await.map_err(refused("the stock"))?;

    for shard in databases.shards.all() {
        let here = |order: &&Order| databases.shards.of(order.id()).source == shard.source;
        let history: Vec<Order> = history.iter().filter(here).cloned().collect();
        let mut connection = shard.pool.acquire().await.map_err(refused("the orders"))?;
        for batch in history.chunks(BATCH) {
            let written = orders::write_with_retries(shard, &mut connection, batch).await.map_err(refused("the orders"))?;
            loaded.orders += written.orders;
            loaded.order_lines += written.lines;
        }
    }

    let pictures = drawing.await.expect("drawing a picture does not panic");
    let mut transaction = begin(&databases.catalog).await.map_err(refused("the catalogue"))?;
    let (categories, brands) = names(&items);
    bulk::write_names(&mut transaction, &categories, &brands).await.map_err(refused("the names"))?;
    let products: Vec<_> = items.iter().map(|item| item.product.clone()).collect();
    loaded.products = bulk::write_products(&mut transaction, &products).await.map_err(refused("the products"))?;
    bulk::write_pictures(&mut transaction, &pictures).await.map_err(refused("the pictures"))?;
    transaction.commit().await.map_err(refused("the catalogue"))?;
    Ok(loaded)
}

#[allow(clippy::type_complexity, reason = "two lists of (name, text)")]
fn names(items: &[Item]) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let mut categories: Vec<(String, String)> = Vec::new();
    for item in items {
        let name = item.product.category.clone().unwrap_or_default();
        if categories.iter().all(|(other, _)| *other != name) {
            categories.push((name, String::new()));
        }
    }
    (categories, MAKERS.iter().map(|maker| (maker.brand.to_owned(), maker.about.to_owned())).collect())
}

fn pictures(items: &[Item]) -> Vec<(Uuid, Vec<u8>)> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let draw = |items: &[Item]| items.iter().map(|item| (item.product.id(), item.picture())).collect::<Vec<_>>();
        let workers: Vec<_> = items.chunks(share).map(|items| scope.spawn(move || draw(items))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("drawing a picture does not panic")).collect()
    })
}

/// What has to have come in for the orders to have gone out, and what is left: much of most things, little or nothing of some.
fn stock(items: &[Item], history: &[orders::Order]) -> Vec<Stock> {
    let mut left_over = StdRng::seed_from_u64(SEED ^ 0x570c);
    let mut sold: HashMap<&str, i32> = HashMap::new();
    for line in history.iter().flat_map(|order| &order.lines) {
        // Returned units may come back after others were sold: only what went out counts.
        *sold.entry(&line.sku).or_default() += line.quantity.max(0);
    }
    let mut stock = Vec::new();
    for item in items {
        let reorder_point = left_over.random_range(5..=15);
        let rest = match left_over.random_range(0..100) {
            0..3 => 0,
            3..10 => left_over.random_range(1..=reorder_point),
            _ => left_over.random_range(40..=400),
        };
        let received = sold.get(item.product.sku.as_str()).copied().unwrap_or(0) + rest;
        stock.push(Stock { sku: item.product.sku.clone(), received, reorder_point });
        for variant in &item.product.variants {
            let received = left_over.random_range(20..=200);
            stock.push(Stock { sku: variant.sku.clone(), received, reorder_point: 0 });
        }
    }
    stock
}
