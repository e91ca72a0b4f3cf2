//! Where a category may stand in the tree.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::api::extract::invalid;
use crate::api::problem::{Problem, Result, kinds};

/// From the top to the lowest category.
pub const MAX_DEPTH: usize = 8;
/// All of them are shown at once.
pub const MAX_CATEGORIES: i64 = 5_000;

/// Makes sure that `parent_id` can have a new category below it. The caller holds [`super::super::lock::Lock::Categories`].
pub async fn check_new(connection: &mut PgConnection, parent_id: Option<Uuid>) -> Result<()> {
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM categories").fetch_one(&mut *connection).await?;
    if there >= MAX_CATEGORIES {
        return Err(Problem::new(&kinds::TOO_MANY_ENTRIES, format!("There are {MAX_CATEGORIES} categories.")));
    }
    let above = above(connection, parent_id).await?;
    check_depth(above.len() + 1)
}

/// Makes sure that a category, with all below it, can stand under `parent_id`. The caller holds [`super::super::lock::Lock::Categories`].
pub async fn check_move(connection: &mut PgConnection, id: Uuid, parent_id: Option<Uuid>) -> Result<()> {
    let above = above(connection, parent_id).await?;
    if above.contains(&id) {
        return Err(Problem::new(&kinds::CATEGORY_CYCLE, format!("Category {id} would stand below itself.")));
    }
    let height: i32 = sqlx::query_scalar(
        "WITH RECURSIVE below AS (
             SELECT id, 1 AS height FROM categories WHERE id = $1
             UNION ALL SELECT child.id, below.height + 1 FROM categories child JOIN below ON child.parent_id = below.id WHERE height < 100
         ) SELECT coalesce(max(height), 1) FROM below",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    check_depth(above.len() + usize::try_from(height).unwrap_or(MAX_DEPTH))
}

/// The category and all that it stands below, up to the top.
async fn above(connection: &mut PgConnection, id: Option<Uuid>) -> Result<Vec<Uuid>> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let above: Vec<Uuid> = sqlx::query_scalar(
        "WITH RECURSIVE above AS (
             SELECT id, parent_id FROM categories WHERE id = $1
             UNION SELECT parent.id, parent.parent_id FROM categories parent JOIN above ON parent.id = above.parent_id
         ) SELECT id FROM above",
    )
    .bind(id)
    .fetch_all(connection)
    .await?;
    if above.is_empty() { Err(invalid("parent_id", "there is no such category")) } else { Ok(above) }
}

fn check_depth(depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        Err(invalid("parent_id", format!("the tree would be {depth} categories deep; at most {MAX_DEPTH} are taken")))
    } else {
        Ok(())
    }
}
