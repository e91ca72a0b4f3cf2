//! Changes of the catalogue that have to come one after another, since what they check is in many rows.

use sqlx::PgConnection;

/// Held until the transaction ends. Who takes both takes them in this order.
#[derive(Clone, Copy)]
pub enum Lock {
    /// The tree of categories: two moves at once could make a circle.
    Categories = 1,
    /// What is sold under which SKU: a product and a variant could take the same one, in two tables.
    Skus = 2,
}

impl Lock {
    pub async fn take(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(self as i64).execute(connection).await.map(drop)
    }
}
