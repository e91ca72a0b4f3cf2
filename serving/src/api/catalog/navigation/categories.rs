//! `GET /api/v1/categories`.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::kept;
use crate::api::catalog::categories::place::MAX_CATEGORIES;
use crate::api::problem::Result;
use crate::api::state::App;

#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CategoryTree {
    /// Those at the top, by name.
    pub categories: Vec<CategoryNode>,
}

#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CategoryNode {
    pub id: Uuid,
    #[schema(example = "Kitchen")]
    pub name: String,
    pub description: Option<String>,
    /// Those that stand directly below it, by name.
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    description: Option<String>,
    parent_id: Option<Uuid>,
}

/// The tree of categories.
#[utoipa::path(get, path = "/api/v1/categories", tag = "products",
    responses((status = 200, body = CategoryTree), (status = 304, description = "the copy that you have is good")))]
pub async fn get_categories(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    let rows: Vec<Row> = sqlx::query_as("SELECT id, name, description, parent_id FROM categories ORDER BY name LIMIT $1")
        .bind(MAX_CATEGORIES)
        .fetch_all(&app.replica().catalog)
        .await?;
    kept(&headers, &CategoryTree { categories: tree(rows) })
}

fn tree(rows: Vec<Row>) -> Vec<CategoryNode> {
    let mut by_parent: HashMap<Option<Uuid>, Vec<Row>> = HashMap::new();
    for row in rows {
        by_parent.entry(row.parent_id).or_default().push(row);
    }
    below(None, &mut by_parent)
}

/// Takes the rows out: each stands in one place.
fn below(parent_id: Option<Uuid>, by_parent: &mut HashMap<Option<Uuid>, Vec<Row>>) -> Vec<CategoryNode> {
    let rows = by_parent.remove(&parent_id).unwrap_or_default();
    rows.into_iter()
        .map(|Row { id, name, description, .. }| CategoryNode { id, name, description, children: below(Some(id), by_parent) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_tree() {
        let row = |id: u128, name: &str, parent: Option<u128>| Row {
            id: Uuid::from_u128(id),
            name: name.into(),
            description: None,
            parent_id: parent.map(Uuid::from_u128),
        };
        let node = |id: u128, name: &str, children: Vec<CategoryNode>| CategoryNode {
            id: Uuid::from_u128(id),
            name: name.into(),
            description: None,
            children,
        };
        let rows =
            vec![row(3, "Cups", Some(1)), row(1, "Kitchen", None), row(2, "Lights", None), row(4, "Mugs", Some(1)), row(5, "Tin", Some(4))];
        let mugs = node(4, "Mugs", vec![node(5, "Tin", vec![])]);
        assert_eq!(tree(rows), [node(1, "Kitchen", vec![node(3, "Cups", vec![]), mugs]), node(2, "Lights", vec![])]);
    }
}
