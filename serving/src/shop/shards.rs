//! Orders in several databases: all of who buys in one of them.
//!
//! The first, `orders`, is home: there the stock is promised, and there purchases are on their way. The others have orders alone. A customer
//! has one of [`BUCKETS`] buckets, by a hash; so does a guest's order, by chance; and an order's id ends with its bucket, so that whoever has
//! the id or the customer knows the database.

use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

/// Buckets are an id's last byte. They are dealt out to databases in turn.
pub const BUCKETS: usize = 256;

/// More databases than this are refused: a position names each, and may not name more than
/// [`MAX_SOURCES`](chimera_connectors::Frontier::MAX_SOURCES).
pub const MAX: u8 = 8;

/// The name of the `number`-th database, from 0 on: also of its changes' source.
pub fn name(number: usize) -> String {
    if number == 0 { "orders".to_owned() } else { format!("orders_{number}") }
}

/// Whose a database is: every database of orders is the service `orders`'.
pub fn service(database: &str) -> &str {
    if database.starts_with("orders_") { "orders" } else { database }
}

/// The id of a new order.
pub fn order_id(customer_id: Option<&str>) -> Uuid {
    in_bucket(Uuid::now_v7(), customer_id)
}

/// `id` with the customer's bucket at its end; without a customer as it is.
pub fn in_bucket(id: Uuid, customer_id: Option<&str>) -> Uuid {
    let mut bytes = id.into_bytes();
    if let Some(customer_id) = customer_id {
        bytes[15] = bucket(customer_id);
    }
    Uuid::from_bytes(bytes)
}

fn bucket(customer_id: &str) -> u8 {
    blake3::hash(customer_id.as_bytes()).as_bytes()[0]
}

/// A database of orders.
#[derive(Clone)]
pub struct Shard {
    /// From 0 on.
    pub number: usize,
    /// Its name in positions and topics.
    pub source: String,
    pub pool: PgPool,
    /// Whether it promises the stock too.
    pub is_home: bool,
}

/// All of them.
#[derive(Clone)]
pub struct Shards(Arc<[Shard]>);

impl Shards {
    /// `others`: in the order of their numbers, from 1 on.
    pub fn new(home: PgPool, others: impl Iterator<Item = PgPool>) -> Self {
        let shards = std::iter::once(home).chain(others).enumerate();
        Self(shards.map(|(number, pool)| Shard { number, source: name(number), pool, is_home: number == 0 }).collect())
    }

    pub fn all(&self) -> &[Shard] {
        &self.0
    }

    /// Where an order is, or is to be.
    pub fn of(&self, order_id: Uuid) -> &Shard {
        self.in_bucket(order_id.as_bytes()[15])
    }

    /// Where all orders of a customer are.
    pub fn of_customer(&self, customer_id: &str) -> &Shard {
        self.in_bucket(bucket(customer_id))
    }

    fn in_bucket(&self, bucket: u8) -> &Shard {
        &self.0[usize::from(bucket) % self.0.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_order_is_where_its_customer_is_and_every_database_has_some() {
        let pool = || PgPool::connect_lazy("postgres://127.0.0.1:1/").expect("a pool that is never used");
        let shards = Shards::new(pool(), [pool(), pool()].into_iter());
        let sources: Vec<&str> = shards.all().iter().map(|shard| shard.source.as_str()).collect();
        assert_eq!(sources, ["orders", "orders_1", "orders_2"]);
        let mut customers = [0; 3];
        for nth in 0..300 {
            let customer = Uuid::from_u128(nth).to_string();
            let of_customer = &shards.of_customer(&customer).source;
            assert_eq!(of_customer, &shards.of(order_id(Some(&customer))).source);
            customers[sources.iter().position(|source| source == of_customer).expect("one of them")] += 1;
        }
        assert!(customers.iter().all(|count| *count > 60), "{customers:?}");
    }

    #[test]
    fn there_are_no_more_than_positions_can_name() {
        let others = crate::shop::databases::CAPTURED.len() - 1 + 1;
        assert!(others + usize::from(MAX) <= chimera_connectors::Frontier::MAX_SOURCES, "with the clicks, and without `orders` itself");
        assert!(usize::from(MAX) <= BUCKETS);
    }
}
