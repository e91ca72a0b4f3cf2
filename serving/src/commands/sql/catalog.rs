//! The names that the server has.

use std::collections::{BTreeMap, BTreeSet};

use super::session::Session;

/// What can be named in a statement.
#[derive(Debug, Default)]
pub struct Names {
    /// The views of each schema.
    pub views: BTreeMap<String, BTreeSet<String>>,
    /// The columns of each view, by `schema.view`.
    pub columns: BTreeMap<String, BTreeSet<String>>,
    pub functions: BTreeSet<String>,
}

impl Names {
    pub async fn read(session: &Session) -> anyhow::Result<Self> {
        let mut names = Names::default();
        let columns = "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema NOT IN ('information_schema', 'pg_catalog')";
        for row in session.rows(columns).await? {
            let [Some(schema), Some(view), Some(column)] = row.as_slice() else { continue };
            names.views.entry(schema.clone()).or_default().insert(view.clone());
            names.columns.entry(format!("{schema}.{view}")).or_default().insert(column.clone());
        }
        for row in session.rows("SELECT DISTINCT routine_name FROM information_schema.routines").await? {
            names.functions.extend(row.into_iter().flatten());
        }
        Ok(names)
    }
}
