//! A cart that is being changed: its row is locked, so that changes of one cart come one after the other.

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::contents::{Contents, Line};
use super::owner::Owner;
use super::{copy, lines};
use crate::api::orders::idempotency::Key;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;
use crate::shop::databases::begin;

/// Dropping it leaves the cart as it was.
pub(super) struct Locked {
    pub transaction: Transaction<'static, Postgres>,
    pub owner: Owner,
    pub id: Uuid,
    version: i64,
    before: Vec<Line>,
    /// To be changed, then committed.
    pub lines: Vec<Line>,
}

impl Locked {
    /// `None`: the owner has no cart.
    pub async fn find(pool: &PgPool, owner: Owner) -> Result<Option<Self>> {
        let mut transaction = begin(pool).await?;
        let Some((id, version)) = lock(&mut transaction, &owner).await? else { return Ok(None) };
        Self::read(transaction, owner, id, version).await.map(Some)
    }

    /// Makes the owner's cart if there is none.
    pub async fn find_or_make(pool: &PgPool, owner: Owner) -> Result<Self> {
        let mut transaction = begin(pool).await?;
        let (user, guest) = owner.columns();
        // One statement: a cart that another transaction removes just now is made anew, not missed.
        let conflict = if user.is_some() { "user_id" } else { "guest_hash" };
        let statement = sqlx::AssertSqlSafe(format!(
            "INSERT INTO carts (id, user_id, guest_hash) VALUES ($1, $2, $3)
             ON CONFLICT ({conflict}) DO UPDATE SET last_accessed_at = now() RETURNING id, version"
        ));
        let (id, version) = sqlx::query_as(statement).bind(Uuid::now_v7()).bind(user).bind(guest).fetch_one(&mut *transaction).await?;
        Self::read(transaction, owner, id, version).await
    }

    /// By its id, or, if it was merged, the cart that it went into.
    pub async fn by_id(pool: &PgPool, id: Uuid) -> Result<Option<Self>> {
        let mut transaction = begin(pool).await?;
        let mut found = lock_by_id(&mut transaction, id).await?;
        if found.is_none() {
            // After the lock was waited for: a merge that was on its way has written it down.
            let into: Option<Uuid> = sqlx::query_scalar("SELECT into_id FROM merged_carts WHERE cart_id = $1")
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(into) = into {
                found = lock_by_id(&mut transaction, into).await?;
            }
        }
        let Some((id, version, owner)) = found else { return Ok(None) };
        Self::read(transaction, owner, id, version).await.map(Some)
    }

    async fn read(mut transaction: Transaction<'static, Postgres>, owner: Owner, id: Uuid, version: i64) -> Result<Self> {
        let lines = read_lines(&mut transaction, id).await?;
        Ok(Self { transaction, owner, id, version, before: lines.clone(), lines })
    }

    /// Whether this addition has not come before under its key, in the last day; it is written down.
    pub async fn is_first(&mut self, key: &Key, sku: &str, quantity: i32) -> Result<bool> {
        let written =
            sqlx::query("INSERT INTO cart_additions (cart_id, key, sku, quantity) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                .bind(self.id)
                .bind(key.as_str())
                .bind(sku)
                .bind(quantity)
                .execute(&mut *self.transaction)
                .await?;
        if written.rows_affected() == 1 {
            return Ok(true);
        }
        let was: Option<(String, i32)> = sqlx::query_as("SELECT sku, quantity FROM cart_additions WHERE cart_id = $1 AND key = $2")
            .bind(self.id)
            .bind(key.as_str())
            .fetch_optional(&mut *self.transaction)
            .await?;
        if was.is_some_and(|(of, units)| of == sku && units == quantity) {
            return Ok(false);
        }
        Err(Problem::new(&kinds::IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key was used for another addition to this cart."))
    }

    /// Takes in the cart of another owner, if there is one; it is gone then.
    pub async fn take_in(&mut self, other: &Owner) -> Result<()> {
        let connection = &mut *self.transaction;
        let Some((other, _)) = lock(connection, other).await? else { return Ok(()) };
        lines::merge(&mut self.lines, read_lines(connection, other).await?);
        for statement in [
            // An addition that is sent again after the log-in is still known.
            "INSERT INTO cart_additions (cart_id, key, sku, quantity, added_at)
             SELECT $1, key, sku, quantity, added_at FROM cart_additions WHERE cart_id = $2 ON CONFLICT DO NOTHING",
            "INSERT INTO merged_carts (into_id, cart_id) VALUES ($1, $2)",
        ] {
            sqlx::query(statement).bind(self.id).bind(other).execute(&mut *connection).await?;
        }
        sqlx::query("DELETE FROM carts WHERE id = $1").bind(other).execute(connection).await?;
        Ok(())
    }

    /// Writes the lines down, under the next version if they are others than before, and tells Redis.
    pub async fn commit(mut self, app: &App) -> Result<Contents> {
        let is_changed = self.lines != self.before;
        if is_changed {
            save(&mut self.transaction, self.id, &self.lines).await?;
            self.version = sqlx::query_scalar(
                "UPDATE carts SET version = version + 1, updated_at = now(), last_accessed_at = now() WHERE id = $1 RETURNING version",
            )
            .bind(self.id)
            .fetch_one(&mut *self.transaction)
            .await?;
        }
        self.transaction.commit().await?;
        let contents = Contents { id: self.id, version: self.version, lines: self.lines };
        if let Some(key) = self.owner.key().filter(|_| is_changed) {
            copy::put_changed(&app.redis, &key, &contents).await;
        }
        Ok(contents)
    }

    /// What is in it, if nothing is changed after all.
    pub fn unchanged(self) -> Contents {
        Contents { id: self.id, version: self.version, lines: self.before }
    }
}

async fn lock(connection: &mut PgConnection, owner: &Owner) -> Result<Option<(Uuid, i64)>> {
    let (user, guest) = owner.columns();
    let found = sqlx::query_as("SELECT id, version FROM carts WHERE user_id = $1 OR guest_hash = $2 FOR UPDATE");
    Ok(found.bind(user).bind(guest).fetch_optional(connection).await?)
}

async fn lock_by_id(connection: &mut PgConnection, id: Uuid) -> Result<Option<(Uuid, i64, Owner)>> {
    let found: Option<(i64, Option<Uuid>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT version, user_id, guest_hash FROM carts WHERE id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(connection)
            .await?;
    let Some((version, user, guest)) = found else { return Ok(None) };
    let guest = guest.and_then(|hash| hash.try_into().ok()).map(Owner::Guest);
    let owner = user.map(Owner::User).or(guest).ok_or_else(|| Problem::internal("a cart is nobody's"))?;
    Ok(Some((id, version, owner)))
}

async fn read_lines(connection: &mut PgConnection, id: Uuid) -> Result<Vec<Line>> {
    let lines = sqlx::query_as("SELECT sku, quantity, price_cents, currency FROM cart_items WHERE cart_id = $1 ORDER BY sku COLLATE \"C\"");
    Ok(lines.bind(id).fetch_all(connection).await?)
}

async fn save(connection: &mut PgConnection, id: Uuid, lines: &[Line]) -> Result<()> {
    let skus: Vec<&str> = lines.iter().map(|line| line.sku.as_str()).collect();
    sqlx::query("DELETE FROM cart_items WHERE cart_id = $1 AND sku <> ALL ($2)").bind(id).bind(&skus).execute(&mut *connection).await?;
    sqlx::query(
        "INSERT INTO cart_items (cart_id, sku, quantity, price_cents, currency)
         SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[])
         ON CONFLICT (cart_id, sku) DO UPDATE
         SET quantity = excluded.quantity, price_cents = excluded.price_cents, currency = excluded.currency
         WHERE (cart_items.quantity, cart_items.price_cents, cart_items.currency)
             IS DISTINCT FROM (excluded.quantity, excluded.price_cents, excluded.currency)",
    )
    .bind(id)
    .bind(&skus)
    .bind(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.price_cents).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.currency.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
