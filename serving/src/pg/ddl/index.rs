//! CREATE INDEX and DROP INDEX.

use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::sink::view::Views;
use chimera_pipelines::{Actor, Handle, ViewError};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use crate::pg::handler::error;

/// How often it is looked whether an index is complete.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// As PostgreSQL's names.
const NAME_CHARS: usize = 63;

/// An index to be made.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::pg) struct Wanted {
    /// `None`: named after the view and its columns.
    pub name: Option<String>,
    /// `schema.view`.
    pub view: String,
    pub columns: Vec<String>,
    pub if_not_exists: bool,
    /// Whether it is answered at once.
    pub concurrently: bool,
}

/// What came of CREATE INDEX.
pub(super) enum Made {
    /// There is one of that name: this one.
    Exists(String),
    Complete,
    /// It goes on.
    Building,
}

/// Makes an index, and waits until it is complete, or for `timeout`.
pub(super) async fn create(engine: &Handle, views: &Arc<Views>, by: Actor<'_>, wanted: Wanted, timeout: Duration) -> PgWireResult<Made> {
    check_owner(engine, views, &wanted.view, by)?;
    let (schema, view) = wanted.view.split_once('.').unwrap_or(("public", &wanted.view));
    let name = wanted.name.unwrap_or_else(|| format!("{view}_{}_idx", wanted.columns.join("_")));
    let fits = !name.is_empty() && name.len() <= NAME_CHARS && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fits {
        return Err(error("42602", format!("an index cannot be called \"{name}\": write up to {NAME_CHARS} letters, digits and _")));
    }
    let in_schema = |other: &str| other.split_once('.').is_some_and(|(other, _)| other == schema);
    if views.indexes().iter().any(|index| index.name == name && in_schema(&index.view)) {
        return match wanted.if_not_exists {
            true => Ok(Made::Exists(name)),
            false => Err(error("42P07", format!("relation \"{name}\" already exists"))),
        };
    }
    let (kept, view, index, columns) = (views.clone(), wanted.view.clone(), name.clone(), wanted.columns);
    let made = tokio::task::spawn_blocking(move || kept.create_index(&view, &index, &columns)).await;
    made.map_err(|cause| error("XX000", cause.to_string()))?.map_err(|cause| error("42703", cause.to_string()))?;
    if wanted.concurrently {
        return Ok(Made::Building);
    }
    let is_complete = || views.indexes().iter().any(|index| index.view == wanted.view && index.name == name && index.is_complete);
    let complete = async {
        while !is_complete() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    Ok(if tokio::time::timeout(timeout, complete).await.is_ok() { Made::Complete } else { Made::Building })
}

/// Drops the index `schema.name`. `false`: there is none.
pub(super) async fn drop_index(engine: &Handle, views: &Arc<Views>, by: Actor<'_>, name: &str) -> PgWireResult<bool> {
    let (schema, name) = name.split_once('.').unwrap_or(("public", name));
    let in_schema = |view: &str| view.split_once('.').is_some_and(|(other, _)| other == schema);
    let Some(index) = views.indexes().into_iter().find(|index| index.name == name && in_schema(&index.view)) else { return Ok(false) };
    check_owner(engine, views, &index.view, by)?;
    let kept = views.clone();
    let dropped = tokio::task::spawn_blocking(move || kept.drop_index(&index.view, &index.name)).await;
    dropped.map_err(|cause| error("XX000", cause.to_string()))?.map_err(|cause| error("XX000", cause.to_string()))
}

/// Indexes are made by whoever may change the view; those of the binary's pipelines are the operator's.
fn check_owner(engine: &Handle, views: &Views, view: &str, by: Actor<'_>) -> PgWireResult<()> {
    if views.schema(view).is_none() {
        return Err(unknown(view));
    }
    let created = engine.created_views().into_iter().find(|created| created.view.name == view && !created.is_shadow);
    let owner = created.map_or_else(|| "operator".to_owned(), |created| created.view.owner);
    if by.owns_all || owner == by.name {
        return Ok(());
    }
    Err(error("42501", format!("view {view} belongs to {owner}: only {owner} makes and drops its indexes")))
}

fn unknown(view: &str) -> PgWireError {
    error("42P01", ViewError::Unknown(view.to_owned()).to_string())
}
