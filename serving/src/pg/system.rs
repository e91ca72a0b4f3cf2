//! The schema `chimera`: what is known about the live views themselves.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use chimera_connectors::sink::view::Views;
use datafusion::catalog::{MemTable, SchemaProvider, Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

/// The schema's name.
pub(super) const SCHEMA: &str = "chimera";

/// A table of it.
#[derive(Clone, Copy, Debug)]
enum Table {
    Views,
    Indexes,
    IndexColumns,
}

const TABLES: [(&str, Table); 3] = [("views", Table::Views), ("indexes", Table::Indexes), ("index_columns", Table::IndexColumns)];

/// `chimera.views`, `chimera.indexes` and `chimera.index_columns`.
pub(super) struct SystemSchema(pub Arc<Views>);

impl fmt::Debug for SystemSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemSchema(…)")
    }
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        TABLES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let found = TABLES.iter().find(|(other, _)| *other == name);
        Ok(found.map(|(_, table)| Arc::new(SystemTable { views: self.0.clone(), table: *table }) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.iter().any(|(other, _)| *other == name)
    }
}

struct SystemTable {
    views: Arc<Views>,
    table: Table,
}

impl fmt::Debug for SystemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemTable({:?})", self.table)
    }
}

#[async_trait]
impl TableProvider for SystemTable {
    fn schema(&self) -> SchemaRef {
        let (text, number, truth) = (DataType::Utf8, DataType::Int64, DataType::Boolean);
        let mut fields = vec![("view_schema", text.clone()), ("view_name", text.clone())];
        fields.extend(match self.table {
            Table::Views => vec![("primary_key", text), ("epoch", number), ("is_filled", truth)],
            Table::Indexes => vec![("index_name", text.clone()), ("columns", text), ("is_primary", truth.clone()), ("is_complete", truth)],
            Table::IndexColumns => {
                vec![("index_name", text.clone()), ("column_name", text), ("ordinal_position", number), ("is_primary", truth)]
            }
        });
        Arc::new(Schema::new(fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect::<Vec<_>>()))
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = match self.table {
            Table::Views => self.all_views(),
            Table::Indexes => self.all_indexes(),
            Table::IndexColumns => self.index_columns(),
        };
        let batch = RecordBatch::try_new(self.schema(), columns)?;
        MemTable::try_new(self.schema(), vec![vec![batch]])?.scan(state, projection, filters, limit).await
    }
}

/// Schema and name.
fn split(view: &str) -> (String, String) {
    view.split_once('.').map_or_else(|| (String::new(), view.to_owned()), |(schema, name)| (schema.to_owned(), name.to_owned()))
}

impl SystemTable {
    fn all_views(&self) -> Vec<ArrayRef> {
        let views = self.views.list();
        let (schemas, names): (Vec<String>, Vec<String>) = views.iter().map(|view| split(&view.name)).unzip();
        let epoch = |name: &str| self.views.applied(name).ok().flatten().and_then(|applied| i64::try_from(applied.epoch).ok());
        vec![
            Arc::new(StringArray::from(schemas)),
            Arc::new(StringArray::from(names)),
            Arc::new(views.iter().map(|view| Some(view.primary_key.join(", "))).collect::<StringArray>()),
            Arc::new(views.iter().map(|view| epoch(&view.name)).collect::<Int64Array>()),
            Arc::new(views.iter().map(|view| Some(!self.views.is_filling(&view.name))).collect::<BooleanArray>()),
        ]
    }

    fn all_indexes(&self) -> Vec<ArrayRef> {
        let rows = self.index_list();
        vec![
            Arc::new(rows.iter().map(|row| Some(&row.schema)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(&row.view)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(&row.name)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.columns.join(", "))).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.is_primary)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| Some(row.is_complete)).collect::<BooleanArray>()),
        ]
    }

    fn index_columns(&self) -> Vec<ArrayRef> {
        let indexes = self.index_list();
        let rows: Vec<(&Row, usize)> = indexes.iter().flat_map(|row| (0..row.columns.len()).map(move |place| (row, place))).collect();
        vec![
            Arc::new(rows.iter().map(|(row, _)| Some(&row.schema)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|(row, _)| Some(&row.view)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|(row, _)| Some(&row.name)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|(row, place)| Some(&row.columns[*place])).collect::<StringArray>()),
            Arc::new(rows.iter().map(|(_, place)| i64::try_from(place + 1).ok()).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|(row, _)| Some(row.is_primary)).collect::<BooleanArray>()),
        ]
    }

    /// The keys of the views are indexes too.
    fn index_list(&self) -> Vec<Row> {
        let keys = self.views.list().into_iter().map(|found| {
            let (schema, view) = split(&found.name);
            Row { name: format!("{view}_pkey"), schema, view, columns: found.primary_key, is_primary: true, is_complete: true }
        });
        let others = self.views.indexes().into_iter().map(|index| {
            let (schema, view) = split(&index.view);
            Row { schema, view, name: index.name, columns: index.columns, is_primary: false, is_complete: index.is_complete }
        });
        keys.chain(others).collect()
    }
}

/// An index, or a key.
struct Row {
    schema: String,
    view: String,
    name: String,
    columns: Vec<String>,
    is_primary: bool,
    is_complete: bool,
}
