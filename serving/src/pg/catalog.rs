//! Views as tables of DataFusion.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chimera_connectors::sink::view::{Moment, Views};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::setup_pg_catalog;

use super::scan::ViewTable;
use super::settings::current_setting;
use super::system::{self, SystemSchema};
use super::{DATABASE, Limits};

/// The schema of what is named without one.
const PUBLIC: &str = "public";

/// Under which moment a statement reads: an extension of its session's configuration.
pub(super) struct At(pub(super) Arc<Moment>);

/// What statements are planned in: a schema a pipeline, those of created views, and PostgreSQL's catalogue of them.
pub(super) fn context(views: &Arc<Views>, limits: &Limits) -> Result<Arc<SessionContext>> {
    let config = SessionConfig::new()
        .with_default_catalog_and_schema(DATABASE, PUBLIC)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        // So that errors have a place.
        .set_bool("datafusion.sql_parser.collect_spans", true)
        .with_target_partitions(1);
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limits.memory_bytes, 1.0).with_disk_manager_builder(disk).build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    // What a function makes is not counted by the memory limit.
    chimera_sql::replaced_functions().into_iter().for_each(|function| context.register_udf(function));
    context.register_catalog(DATABASE, Arc::new(Database { fixed: MemoryCatalogProvider::new(), views: views.clone() }));
    context.register_udf(current_setting());
    setup_pg_catalog(&context, DATABASE, EmptyContextProvider).map_err(|error| *error)?;
    Ok(Arc::new(context))
}

/// The schemas that the views have now, and those that are always there.
struct Database {
    fixed: MemoryCatalogProvider,
    views: Arc<Views>,
}

impl Database {
    fn schemas(&self) -> BTreeSet<String> {
        let names = self.views.list().into_iter().filter_map(|view| view.name.split_once('.').map(|(schema, _)| schema.to_owned()));
        names.chain([PUBLIC.to_owned(), system::SCHEMA.to_owned()]).collect()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database(…)")
    }
}

impl CatalogProvider for Database {
    fn schema_names(&self) -> Vec<String> {
        self.schemas().into_iter().chain(self.fixed.schema_names()).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if let Some(schema) = self.fixed.schema(name) {
            return Some(schema);
        }
        if name == system::SCHEMA {
            return Some(Arc::new(SystemSchema(self.views.clone())));
        }
        let there = self.schemas().contains(name);
        there.then(|| Arc::new(ViewSchema { views: self.views.clone(), name: name.to_owned() }) as Arc<dyn SchemaProvider>)
    }

    fn register_schema(&self, name: &str, schema: Arc<dyn SchemaProvider>) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.fixed.register_schema(name, schema)
    }
}

/// The views of one schema.
struct ViewSchema {
    views: Arc<Views>,
    name: String,
}

impl fmt::Debug for ViewSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewSchema({})", self.name)
    }
}

#[async_trait]
impl SchemaProvider for ViewSchema {
    fn table_names(&self) -> Vec<String> {
        let names = self.views.list().into_iter().map(|view| view.name);
        names.filter_map(|name| name.strip_prefix(&self.name)?.strip_prefix('.').map(str::to_owned)).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let name = format!("{}.{name}", self.name);
        let table = self.views.schema(&name).map(|schema| ViewTable { views: self.views.clone(), name, schema });
        Ok(table.map(|table| Arc::new(table) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.views.schema(&format!("{}.{name}", self.name)).is_some()
    }
}
