//! What scripts have beside stores: generated columns, tables in memory, queries on their own, and time that comes with the rows.

use super::arrival::ARRIVAL;
use super::{PREVIEW, Planner, Relation};
use crate::dialect::{CreateTable, Name, Statement, StatementKind};
use crate::error::Error;
use crate::lower::{self, finality};
use crate::table::{SinkChanges, Table, nullable};
use arrow::compute::kernels::cast_utils::parse_interval_month_day_nano;
use arrow::datatypes::{DataType, SchemaRef};
use chimera_operators::Term;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::sql::sqlparser::ast::{Ident, Query};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use std::sync::Arc;

const DAY: i64 = 86_400_000_000_000;

/// How far time has come, by the rows of a source: the watermark is the latest of these times.
#[derive(Debug, Clone)]
pub(crate) struct SourceTime {
    pub table: String,
    /// The columns that `term` reads, in its order.
    pub schema: SchemaRef,
    /// A timestamp.
    pub term: Term,
}

/// The one setting there is: how long state of a key that nothing touches is kept.
const UPDATING_TTL: &str = "updating_ttl";

impl Planner<'_> {
    /// The time that `SET updating_ttl = …` says, in nanoseconds.
    pub(super) fn updating_ttl(&self, name: &Name, value: &str, is_set: bool) -> Result<i64, Error> {
        let refused = |message: String, help: &str| Err(self.error(name.at, message).with_help(help));
        if name.text != UPDATING_TTL {
            return refused(
                format!("there is no setting `{}`", name.text),
                "remove the SET statement; a program is configured by its tables' WITH options, and in scripts by updating_ttl",
            );
        }
        if !self.is_script {
            return refused(
                "state that is dropped when nothing touches it is of scripts alone: read again from the log, a store would come out otherwise".into(),
                "bound what is kept by a condition: WHERE at > now() - INTERVAL '1 day'",
            );
        }
        if is_set {
            return refused(format!("`{UPDATING_TTL}` is set twice"), "it goes for the whole script: set it once");
        }
        let parsed = parse_interval_month_day_nano(value).ok().filter(|interval| interval.months == 0);
        let parsed = parsed.and_then(|interval| i64::from(interval.days).checked_mul(DAY)?.checked_add(interval.nanoseconds));
        match parsed.filter(|ttl| *ttl > 0) {
            Some(ttl) => Ok(ttl),
            None => refused(
                format!("`{UPDATING_TTL}` = '{value}' is no time above zero of one length"),
                "write days or less: SET updating_ttl = '1 day'",
            ),
        }
    }

    /// Sources with generated columns are read through them.
    pub(super) fn generated_columns(&mut self) -> Result<(), Error> {
        for (index, statement) in self.statements.iter().enumerate() {
            let StatementKind::Table(declared) = &statement.kind else { continue };
            let source = self.sources.iter().find(|source| source.name == declared.name.text);
            let Some(source) = source.filter(|_| declared.columns.iter().any(|column| column.generated.is_some())) else { continue };
            let columns = declared.columns.iter().map(|column| {
                let name = quoted(&column.name);
                column.generated.as_ref().map_or(name.clone(), |expr| format!("({expr}) AS {name}"))
            });
            let columns = columns.chain(source.has_arrival.then(|| quoted_text(ARRIVAL)));
            let text = format!("SELECT {} FROM {}", columns.collect::<Vec<_>>().join(", "), quoted(&declared.name));
            let plan = self.typed(declared, self.query(index, &self.parsed(&declared.name, &text)?)?, index)?;
            let relation = Relation::inlined(nullable(plan.schema().as_arrow()), plan);
            self.context.relations.insert(declared.name.text.clone(), Arc::new(relation));
        }
        Ok(())
    }

    /// Generated columns in the types that are declared.
    fn typed(&self, declared: &CreateTable, plan: LogicalPlan, index: usize) -> Result<LogicalPlan, Error> {
        let exprs: Vec<_> = plan
            .schema()
            .columns()
            .into_iter()
            .enumerate()
            .map(|(index, column)| match declared.columns.get(index) {
                Some(declared) => cast(Expr::Column(column), declared.data_type.clone()).alias(&declared.name.text),
                // The time of arrival.
                None => Expr::Column(column),
            })
            .collect();
        LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build).map_err(|e| self.plan_error(index, &e))
    }

    /// What was written to a table in memory is what is read from it, from here on.
    pub(super) fn remember(&mut self, index: usize, name: &str, plan: LogicalPlan) -> Result<(), Error> {
        let plan = match self.context.relations.get(name).and_then(|relation| relation.inlined.clone()) {
            Some(before) => LogicalPlanBuilder::from(before).union(plan).and_then(LogicalPlanBuilder::build),
            None => Ok(plan),
        };
        let plan = plan.map_err(|e| self.plan_error(index, &e))?;
        let relation = Relation::inlined(nullable(plan.schema().as_arrow()), plan);
        self.context.relations.insert(name.to_string(), Arc::new(relation));
        Ok(())
    }

    /// A sink for a query on its own.
    pub(super) fn preview(&mut self, statement: &Statement, plan: &LogicalPlan) -> Result<String, Error> {
        if !self.is_script {
            return Err(self
                .error(statement.at, "a query on its own yields nothing")
                .with_help("write INSERT INTO a sink table before it, or make it a CREATE VIEW … AS"));
        }
        if plan.schema().fields().is_empty() {
            return Err(self
                .error(statement.at, "the query gives rows without columns")
                .with_help("name what it is to give: SELECT * FROM …"));
        }
        let before = self.sinks.iter().filter(|sink| sink.name.starts_with(PREVIEW)).count();
        let name = if before == 0 { PREVIEW.to_string() } else { format!("{PREVIEW}_{}", before + 1) };
        self.sinks.push(Table {
            name: name.clone(),
            schema: nullable(plan.schema().as_arrow()),
            primary_key: vec![],
            options: Default::default(),
            metadata: Default::default(),
            event_time: None,
            has_arrival: false,
            changes: SinkChanges::Appended,
            append_only: false,
        });
        Ok(name)
    }

    /// `plan` with texts and bytes in the form that sinks write: some functions give them in another.
    pub(super) fn in_plain_form(&self, index: usize, plan: LogicalPlan) -> Result<LogicalPlan, Error> {
        let plain = |data_type: &DataType| match data_type {
            DataType::Utf8View => Some(DataType::Utf8),
            DataType::BinaryView | DataType::LargeBinary => Some(DataType::Binary),
            _ => None,
        };
        if plan.schema().fields().iter().all(|field| plain(field.data_type()).is_none()) {
            return Ok(plan);
        }
        let fields = plan.schema().iter().map(|(qualifier, field)| {
            let column = Expr::Column(Column::from((qualifier, field)));
            plain(field.data_type()).map_or(column.clone(), |data_type| cast(column, data_type).alias(field.name()))
        });
        let fields: Vec<Expr> = fields.collect();
        LogicalPlanBuilder::from(plan).project(fields).and_then(LogicalPlanBuilder::build).map_err(|e| self.plan_error(index, &e))
    }

    /// Refuses a query that changes what it has given out for a sink that rows are only added to; a preview shows changes then.
    pub(super) fn check_appended(&mut self, index: usize, table: &str, plan: &LogicalPlan) -> Result<(), Error> {
        let tables = self.tables();
        let Some(sink) = self.sinks.iter_mut().find(|sink| sink.name == table) else { return Ok(()) };
        if sink.changes != SinkChanges::Appended {
            return Ok(());
        }
        match finality::of(plan, &tables) {
            Ok(_) => Ok(()),
            Err(_) if matches!(self.statements[index].kind, StatementKind::Query { .. }) => {
                sink.changes = SinkChanges::Logged;
                Ok(())
            }
            Err(unsupported) => Err(self.lower_error(index, unsupported)),
        }
    }

    /// How far time has come by the rows of each source that has a watermark.
    pub(super) fn times(&self) -> Result<Vec<SourceTime>, Error> {
        let mut times = vec![];
        for source in &self.sources {
            let Some(event_time) = &source.event_time else { continue };
            let is_declared =
                |statement: &Statement| matches!(&statement.kind, StatementKind::Table(declared) if declared.name.text == source.name);
            let Some(index) = self.statements.iter().position(is_declared) else { continue };
            let StatementKind::Table(declared) = &self.statements[index].kind else { continue };
            let column = Ident::with_quote('"', event_time);
            let watermark = match &declared.watermark {
                Some((_, Some(expr))) => expr.to_string(),
                _ => column.to_string(),
            };
            let text = format!("SELECT {column} AS event_time, {watermark} AS watermark FROM {}", quoted(&declared.name));
            let plan = self.query(index, &self.parsed(&declared.name, &text)?)?;
            let is_time = |index: usize| matches!(plan.schema().field(index).data_type(), DataType::Timestamp(..));
            if !(is_time(0) && is_time(1)) {
                let place = declared.watermark.as_ref().map_or(declared.name.at, |(name, _)| name.at);
                let message = format!("the watermark of table `{}` must be a TIMESTAMP, as must column `{event_time}`", source.name);
                return Err(self
                    .error(place, message)
                    .with_help("generate a column: ts TIMESTAMP GENERATED ALWAYS AS (to_timestamp(…)) STORED"));
            }
            let plan = self.optimise(index, plan)?;
            let (schema, term) = lower::source_term(&self.context.state, &plan, 1).map_err(|e| self.lower_error(index, e))?;
            times.push(SourceTime { table: source.name.clone(), schema, term });
        }
        Ok(times)
    }

    /// A query that is put together of a table's parts.
    fn parsed(&self, table: &Name, text: &str) -> Result<Query, Error> {
        let dialect = PostgreSqlDialect {};
        let parsed = Parser::new(&dialect).try_with_sql(text).and_then(|mut parser| parser.parse_query());
        parsed.map(|query| *query).map_err(|e| self.error(table.at, format!("an expression of table `{}` cannot be read: {e}", table.text)))
    }
}

fn quoted(name: &Name) -> String {
    quoted_text(&name.text)
}

fn quoted_text(name: &str) -> String {
    Ident::with_quote('"', name).to_string()
}
