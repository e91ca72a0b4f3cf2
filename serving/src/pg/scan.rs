//! A view as a table: its rows are read as they are asked for, by its key where the filters allow it.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use chimera_connectors::sink::view::{Access, Moment, Views, Wanted};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::{StreamExt, stream};

use super::catalog::At;
use super::lookup::{Filters, is_useful};

/// A view with the columns that it had when the statement was planned.
pub(super) struct ViewTable {
    pub views: Arc<Views>,
    pub name: String,
    pub schema: SchemaRef,
}

impl fmt::Debug for ViewTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewTable({})", self.name)
    }
}

fn external(cause: chimera_connectors::Error) -> DataFusionError {
    DataFusionError::External(Box::new(cause))
}

#[async_trait]
impl TableProvider for ViewTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let push = |filter: &&Expr| {
            if is_useful(filter) { TableProviderFilterPushDown::Inexact } else { TableProviderFilterPushDown::Unsupported }
        };
        Ok(filters.iter().map(push).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let at = state.config().get_extension::<At>().unwrap_or_else(|| Arc::new(At(Arc::new(self.views.moment()))));
        let schema = at.0.schema(&self.name).ok_or_else(|| DataFusionError::Plan(format!("there is no view {}", self.name)))?;
        if schema != self.schema {
            return Err(DataFusionError::Plan("cached plan must not change result type".to_owned()));
        }
        let columns = projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect());
        let (access, how) = self.access(&at.0, filters)?;
        let scan = ViewScan::new(at.0.clone(), self.name.clone(), columns, access, how);
        Ok(Arc::new(ViewScan { limit, ..scan? }))
    }
}

impl ViewTable {
    /// How the rows are found, and that in words.
    fn access(&self, moment: &Moment, filters: &[Expr]) -> Result<(Access, String)> {
        let filters = Filters::new(&self.schema, filters);
        let key = (None, moment.key(&self.name).unwrap_or_default());
        let indexes = moment.indexes(&self.name).into_iter().map(|(index, columns)| (Some(index), columns));
        // The one that is told most: columns with a value, then a range; of equals the key, which needs no second look-up.
        let mut best: Option<(usize, Option<String>, Wanted, Vec<String>)> = None;
        for (index, columns) in std::iter::once(key).chain(indexes) {
            let Some((wanted, columns)) = filters.wanted(&self.schema, &columns)? else { continue };
            let told = 2 * wanted.equal.len() + usize::from(wanted.between.is_some());
            if best.as_ref().is_none_or(|(most, ..)| told > *most) {
                best = Some((told, index, wanted, columns));
            }
        }
        let Some((_, index, wanted, columns)) = best else { return Ok((Access::Scan, "all rows".to_owned())) };
        let columns = columns.join(", ");
        let (access, how) = match index {
            None => (moment.by_key(&self.name, &wanted).map_err(external)?, format!("by key ({columns})")),
            Some(index) => (moment.by_index(&self.name, &index, &wanted).map_err(external)?, format!("by index {index} ({columns})")),
        };
        Ok(access.map_or_else(|| (Access::Scan, "all rows".to_owned()), |access| (access, how)))
    }
}

/// Reads rows of a view.
struct ViewScan {
    moment: Arc<Moment>,
    name: String,
    /// Positions in the view.
    columns: Vec<usize>,
    access: Access,
    how: String,
    limit: Option<usize>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl ViewScan {
    fn new(moment: Arc<Moment>, name: String, columns: Vec<usize>, access: Access, how: String) -> Result<Self> {
        let all = moment.schema(&name).unwrap_or_else(|| Arc::new(Schema::empty()));
        let schema = Arc::new(all.project(&columns)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        Ok(Self { moment, name, columns, access, how, limit: None, schema, properties })
    }
}

impl fmt::Debug for ViewScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewScan({}, {})", self.name, self.how)
    }
}

impl DisplayAs for ViewScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "ViewScan: {}, {}, projection=[{}]", self.name, self.how, columns.join(", "))?;
        self.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl ExecutionPlan for ViewScan {
    fn name(&self) -> &'static str {
        "ViewScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>, _: ReplaceChildrenOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.moment.rows(&self.name, &self.columns, self.access.clone()).map_err(external)?;
        let rows = rows.ok_or_else(|| DataFusionError::Plan(format!("there is no view {}", self.name)))?;
        // Each batch is read by a thread that may wait for the disk; none waits for whoever takes the batch.
        let batches = stream::try_unfold((rows, self.limit), |(mut rows, left)| async move {
            if left == Some(0) {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || (rows.next().transpose(), rows)).await;
            let (batch, rows) = read.map_err(|cause| DataFusionError::External(Box::new(cause)))?;
            let Some(batch) = batch.map_err(external)? else { return Ok(None) };
            let batch = left.filter(|left| *left < batch.num_rows()).map_or(batch.clone(), |left| batch.slice(0, left));
            let left = left.map(|left| left - batch.num_rows());
            Ok(Some((batch, (rows, left))))
        });
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(self.schema.clone(), batches.boxed()))))
    }
}
