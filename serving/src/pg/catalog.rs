//! Views as tables of DataFusion.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chimera_connectors::sink::view::{Moment, Views};
use datafusion::catalog::{CatalogProvider, MemTable, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::setup_pg_catalog;

use super::{DATABASE, Limits};

/// Under which moment a statement reads: an extension of its session's configuration.
pub(super) struct At(pub(super) Moment);

/// What statements are planned in: a schema a pipeline, and PostgreSQL's catalogue of them.
pub(super) fn context(views: &Arc<Views>, pipelines: &[String], limits: &Limits) -> Result<Arc<SessionContext>> {
    let config = SessionConfig::new()
        .with_default_catalog_and_schema(DATABASE, "public")
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(1);
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limits.memory_bytes, 1.0).with_disk_manager_builder(disk).build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    let catalog = Arc::new(MemoryCatalogProvider::new());
    catalog.register_schema("public", Arc::new(MemorySchemaProvider::new()))?;
    for pipeline in pipelines {
        catalog.register_schema(pipeline, Arc::new(Pipeline { views: views.clone(), name: pipeline.clone() }))?;
    }
    context.register_catalog(DATABASE, catalog);
    setup_pg_catalog(&context, DATABASE, EmptyContextProvider).map_err(|error| *error)?;
    Ok(Arc::new(context))
}

/// The views of one pipeline.
struct Pipeline {
    views: Arc<Views>,
    name: String,
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pipeline({})", self.name)
    }
}

#[async_trait]
impl SchemaProvider for Pipeline {
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

struct ViewTable {
    views: Arc<Views>,
    name: String,
    schema: SchemaRef,
}

impl fmt::Debug for ViewTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewTable({})", self.name)
    }
}

#[async_trait]
impl TableProvider for ViewTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let at = state.config().get_extension::<At>().unwrap_or_else(|| Arc::new(At(self.views.moment())));
        let (name, most) = (self.name.clone(), limit.unwrap_or(usize::MAX));
        let batches = tokio::task::spawn_blocking(move || at.0.read(&name, most))
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let batches = batches.ok_or_else(|| DataFusionError::Plan(format!("there is no view {}", self.name)))?;
        MemTable::try_new(self.schema.clone(), vec![batches])?.scan(state, projection, filters, limit).await
    }
}
