//! Live views: results of pipelines that are kept up to date, as tables and as streams of changes.

pub mod get;
pub mod list;
pub mod stream;

use std::sync::Arc;

use chimera_connectors::sink::view::{View, Views};
use serde::Serialize;

use super::problem::{Problem, Result, kinds};
use super::state::App;

/// A view, as declared by its pipeline.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ViewDescription {
    /// `pipeline.table`.
    #[schema(example = "sales.by_minute")]
    pub view: String,
    pub columns: Vec<ViewColumn>,
    pub primary_key: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct ViewColumn {
    pub name: String,
    /// The Arrow type. Decimals and timestamps stand as text in the rows.
    #[serde(rename = "type")]
    pub data_type: String,
}

impl From<View> for ViewDescription {
    fn from(view: View) -> Self {
        let columns = view.columns.into_iter().map(|column| ViewColumn { name: column.name, data_type: column.data_type }).collect();
        Self { view: view.name, columns, primary_key: view.primary_key }
    }
}

impl App {
    /// The declaration of a view; refuses one that is still being filled.
    pub fn view(&self, name: &str) -> Result<View> {
        if self.connectors.views.is_filling(name) {
            let detail = format!("`{name}` is still being filled: it can be read once it has caught up.");
            return Err(Problem::new(&kinds::STORE_NOT_READY, detail).with("store", name).retry_after(2));
        }
        let found = self.connectors.views.list().into_iter().find(|view| view.name == name);
        found.ok_or_else(|| not_found(name))
    }

    /// Reads views on a thread that may wait for a disk.
    pub async fn read_views<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Views) -> chimera_connectors::Result<T> + Send + 'static,
    ) -> Result<T> {
        let views: Arc<Views> = self.connectors.views.clone();
        Ok(tokio::task::spawn_blocking(move || read(&views)).await.map_err(Problem::internal)??)
    }
}

fn not_found(name: &str) -> Problem {
    Problem::new(&kinds::VIEW_NOT_FOUND, format!("There is no live view `{}`.", name.escape_debug().take(100).collect::<String>()))
}
