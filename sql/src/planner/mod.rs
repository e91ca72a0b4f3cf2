//! From text to a plan: names are resolved, queries planned and optimised, views that several statements read shared.

mod arrival;
mod check;
mod context;
mod declare;
mod insert;
mod locate;
mod rewrite;
mod script;
mod sql_functions;
mod targets;
mod view;
mod windows;

use crate::dialect::{self, Name, Statement, StatementKind};
use crate::error::Error;
use crate::functions::Functions;
use crate::lower::{self, Lowering};
use crate::table::{Implied, Table, nullable};
pub use arrival::ARRIVAL;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use chimera_operators::Plan;
pub(crate) use context::{Context, Relation};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col};
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast::{Query, Statement as SqlStatement};
use declare::Declared;
use locate::Place;
use rewrite::Versions;
pub(crate) use script::SourceTime;
use serde::{Deserialize, Serialize};
use sql_functions::SqlFunctions;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use targets::Arroyo;

/// What a program may hold.
pub(crate) enum Mode<'a> {
    /// Every sink is a store, which keeps rows by key.
    Stores,
    /// Sinks may also be streams that rows are added to, or that changes go to; a query on its own is shown. Tables may leave their columns
    /// to their connector.
    Script(Implied<'a>),
}

/// A program that was read and planned without errors.
#[derive(Debug, Clone)]
pub struct Program {
    /// Tables that changes come in for, in the order of the text.
    pub sources: Vec<Table>,
    /// Tables that changes come out for, in the order of the text.
    pub sinks: Vec<Table>,
    /// Tables that are asked for rows by key, in the order of the text; of scripts alone.
    pub lookups: Vec<Table>,
    /// Of [`Program::view`]: equal rows are one, with their number in a column `copies`.
    pub counts_copies: bool,
    pub(crate) plan: Arc<Plan>,
    text: Arc<ProgramText>,
    /// Of each source and view, the columns that are read.
    read: BTreeMap<String, BTreeSet<usize>>,
    /// How far time has come by a source's rows; of scripts alone.
    pub(crate) times: Vec<SourceTime>,
    /// The sinks that Arroyo does not keep, with its reasons.
    arroyo_refuses: Vec<(String, String)>,
}

/// All that a program is read from, beside the functions: so that another process can read the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramText {
    /// Of [`Program::parse`], or of a script, which is not read again.
    Statements(String),
    /// Of [`Program::view`].
    View { statement: String, views: Vec<(String, String)>, sources: String },
}

impl ProgramText {
    pub fn read(&self, functions: &Functions) -> Result<Program, Error> {
        match self {
            Self::Statements(sql) => Program::parse(sql, functions),
            Self::View { statement, views, sources } => Program::view(statement, views, sources, functions),
        }
    }
}

/// The sink that a script's queries on their own go to; the second one is `preview_2`.
pub const PREVIEW: &str = "preview";

/// A view that more than one statement reads: computed once, for all of them.
struct SharedView {
    name: String,
    plan: LogicalPlan,
    statement: usize,
}

impl Program {
    /// Reads, checks and plans a program.
    pub fn parse(sql: &str, functions: &Functions) -> Result<Program, Error> {
        Self::read(sql, functions, Mode::Stores)
    }

    /// The same for a script, which runs by itself: sinks may be streams, and a query may stand on its own.
    pub fn parse_script(sql: &str, functions: &Functions, implied: Implied<'_>) -> Result<Program, Error> {
        Self::read(sql, functions, Mode::Script(implied))
    }

    fn read(sql: &str, functions: &Functions, mode: Mode<'_>) -> Result<Program, Error> {
        let statements = dialect::parse(sql)?;
        let Declared { mut sources, sinks, lookups, memory } = declare::tables(sql, &statements, &mode)?;
        let is_script = matches!(mode, Mode::Script(_));
        if is_script {
            arrival::mark(&statements, &mut sources);
        }
        let context = Context::new(functions);
        let functions = SqlFunctions::default();
        let mut planner = Planner {
            sql,
            statements: &statements,
            context,
            functions,
            sources,
            sinks,
            lookups,
            memory,
            is_script,
            read: BTreeMap::new(),
            arroyo_refuses: vec![],
        };
        let plan = planner.plan()?;
        let times = if is_script { planner.times()? } else { vec![] };
        let Planner { sources, sinks, lookups, read, arroyo_refuses, .. } = planner;
        let text = Arc::new(ProgramText::Statements(sql.to_owned()));
        Ok(Program { sources, sinks, lookups, counts_copies: false, plan: Arc::new(plan), text, read, times, arroyo_refuses })
    }

    /// The dataflow as text: for each sink its operators, what each of them keeps, and what that grows with.
    /// Then where it can run.
    pub fn explain(&self) -> String {
        let mut text = chimera_operators::explain(&self.plan);
        text.push_str("\nruns on this engine: yes\nruns on Arroyo: ");
        match &self.arroyo_refuses[..] {
            [] => text.push_str("yes\n"),
            refused => {
                text.push_str("no\n");
                refused.iter().for_each(|(sink, reason)| text.push_str(&format!("  {sink}: {reason}\n")));
            }
        }
        text
    }

    /// Whether results depend on the time: rows come and go though nothing is pushed, and [`Dataflow::advance`] must be called.
    ///
    /// [`Dataflow::advance`]: crate::Dataflow::advance
    pub fn uses_clock(&self) -> bool {
        self.plan.uses_clock()
    }

    /// What the fingerprint of a dataflow on so many processes with so many workers each will be.
    pub fn fingerprint(&self, workers: usize, hosts: usize) -> u64 {
        chimera_operators::fingerprint(&self.plan, workers, hosts)
    }

    /// The columns that the program reads of a source: others need not be pushed. `None` when it reads none of its rows.
    pub fn columns_read(&self, source: &str) -> Option<SchemaRef> {
        let all = self.plan.input_schema(source)?;
        let read = self.read.get(source);
        let is_time = |name: &str| self.times.iter().any(|time| time.table == source && time.schema.index_of(name).is_ok());
        let is_read = |(index, field): &(usize, &FieldRef)| read.is_some_and(|read| read.contains(index)) || is_time(field.name());
        let fields: Vec<FieldRef> = all.fields().iter().enumerate().filter(is_read).map(|(_, field)| field.clone()).collect();
        Some(Arc::new(Schema::new(fields)))
    }

    /// What it was read from.
    pub fn text(&self) -> &ProgramText {
        &self.text
    }
}

struct Planner<'a> {
    sql: &'a str,
    statements: &'a [Statement],
    context: Context,
    functions: SqlFunctions,
    sources: Vec<Table>,
    sinks: Vec<Table>,
    lookups: Vec<Table>,
    memory: Vec<Table>,
    is_script: bool,
    read: BTreeMap<String, BTreeSet<usize>>,
    arroyo_refuses: Vec<(String, String)>,
}

impl Planner<'_> {
    fn declare_sources(&mut self) {
        for table in self.sources.iter().chain(&self.lookups) {
            let relation = Relation::new(table.nullable_schema(), &table.primary_key);
            self.context.relations.insert(table.name.clone(), Arc::new(relation));
        }
    }

    fn plan(&mut self) -> Result<Plan, Error> {
        self.declare_sources();
        self.generated_columns()?;
        let readers = declare::readers(self.statements);
        let mut shared: Vec<SharedView> = Vec::new();
        let mut inserts: Vec<(usize, String, LogicalPlan)> = Vec::new();
        let mut ttl = None;
        for (index, statement) in self.statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Table(_) => {}
                StatementKind::Set { name, value } => ttl = Some(self.updating_ttl(name, value, ttl.is_some())?),
                StatementKind::Function(function) => self
                    .functions
                    .declare(function, &self.context)
                    .map_err(|(at, message, help)| Error::new(self.sql, at, message).with_help(help))?,
                StatementKind::View { name, columns, query } => {
                    let plan = self.view(index, name, columns, query)?;
                    let schema = nullable(plan.schema().as_arrow());
                    // What sinks that are only added to read is lowered in another way: a script's views are each reader's own.
                    let relation = if !self.is_script && readers.get(&name.text).is_some_and(|readers| *readers > 1) {
                        shared.push(SharedView { name: name.text.clone(), plan, statement: index });
                        Relation::new(schema, &[])
                    } else {
                        Relation::inlined(schema, plan)
                    };
                    self.context.relations.insert(name.text.clone(), Arc::new(relation));
                }
                StatementKind::Insert { table, columns, query } => {
                    let plan = self.query(index, &insert::told_apart(query))?;
                    let plan = self.insert(index, table, columns, query, plan)?;
                    match self.memory.iter().any(|memory| memory.name == table.text) {
                        true => self.remember(index, &table.text, plan)?,
                        false => inserts.push((index, table.text.clone(), plan)),
                    }
                }
                StatementKind::Query { query } => {
                    let plan = self.in_plain_form(index, self.query(index, query)?)?;
                    inserts.push((index, self.preview(statement, &plan)?, plan));
                }
            }
        }
        self.lower(shared, inserts, ttl)
    }

    /// Optimises from the readers to the read, so that a shared view computes only the columns that somebody reads.
    fn lower(&mut self, shared: Vec<SharedView>, inserts: Vec<(usize, String, LogicalPlan)>, ttl: Option<i64>) -> Result<Plan, Error> {
        let mut used: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let mut optimised_inserts = Vec::new();
        for (index, table, plan) in inserts {
            let plan = self.optimise(index, plan)?;
            lower::columns_read(&plan, &mut used);
            self.check_appended(index, &table, &plan)?;
            optimised_inserts.push((index, table, plan));
        }
        let mut views = Vec::new();
        for view in shared.into_iter().rev() {
            let Some(columns) = used.get(&view.name).cloned() else { continue };
            let names = columns.iter().map(|column| view.plan.schema().qualified_field(*column));
            let exprs: Vec<_> = names.map(|(qualifier, field)| col(datafusion::common::Column::from((qualifier, field)))).collect();
            let pruned = LogicalPlanBuilder::from(view.plan).project(exprs).and_then(LogicalPlanBuilder::build);
            let pruned = pruned.map_err(|e| self.plan_error(view.statement, &e))?;
            let plan = self.optimise(view.statement, pruned)?;
            lower::columns_read(&plan, &mut used);
            views.push((view.statement, view.name, columns, plan));
        }
        let tables = self.tables();
        let arroyo = Arroyo { tables: &tables, views: views.iter().map(|(_, name, _, plan)| (name.as_str(), plan)).collect() };
        let refused = optimised_inserts.iter().filter_map(|(_, table, plan)| {
            let sink = self.sinks.iter().find(|sink| sink.name == *table)?;
            Some((table.clone(), arroyo.refuses(sink, plan)?))
        });
        self.arroyo_refuses = refused.collect();
        self.read = used;
        let mut lowering = Lowering::new(&self.context.state, &tables).forgetting(ttl);
        for (statement, name, columns, plan) in views.into_iter().rev() {
            lowering.view(&name, columns, &plan).map_err(|e| self.lower_error(statement, e))?;
        }
        let mut results = BTreeMap::new();
        for (statement, table, plan) in optimised_inserts {
            let Some(sink) = self.sinks.iter().find(|sink| sink.name == table) else { continue };
            let node = lowering.insert(sink, &plan).map_err(|e| self.lower_error(statement, e))?;
            results.entry(table).or_insert_with(Vec::new).push(node);
        }
        Ok(lowering.finish(&self.sinks, &results))
    }

    fn view(&self, index: usize, name: &Name, columns: &[Name], query: &Query) -> Result<LogicalPlan, Error> {
        let plan = self.query(index, query)?;
        self.with_columns(index, name, columns, plan)
    }

    /// `plan` under the names that the view gives its columns.
    fn with_columns(&self, index: usize, name: &Name, columns: &[Name], mut plan: LogicalPlan) -> Result<LogicalPlan, Error> {
        if !columns.is_empty() {
            if columns.len() != plan.schema().fields().len() {
                let message =
                    format!("view `{}` names {} columns, its query has {}", name.text, columns.len(), plan.schema().fields().len());
                return Err(self.error(name.at, message));
            }
            let fields = plan
                .schema()
                .iter()
                .zip(columns)
                .map(|((qualifier, field), name)| col(datafusion::common::Column::from((qualifier, field))).alias(&name.text));
            let exprs: Vec<_> = fields.collect();
            plan = LogicalPlanBuilder::from(plan)
                .project(exprs)
                .and_then(LogicalPlanBuilder::build)
                .map_err(|e| self.plan_error(index, &e))?;
        }
        let names = plan.schema().field_names();
        let mut seen = BTreeSet::new();
        if let Some(field) = plan.schema().fields().iter().find(|field| !seen.insert(field.name().clone())) {
            let message = format!("view `{}` has two columns named `{}` ({})", name.text, field.name(), names.join(", "));
            return Err(self.error(name.at, message).with_help("name them apart with AS"));
        }
        Ok(plan)
    }

    fn query(&self, index: usize, query: &Query) -> Result<LogicalPlan, Error> {
        let mut query = query.clone();
        self.functions.expand(&mut query).map_err(|(at, message, help)| self.error(at, message).with_help(help))?;
        rewrite::refuse_using(&query).map_err(|(at, message, help)| self.error(at, message).with_help(help))?;
        rewrite::as_of(&mut query, &|name| self.versions(name)).map_err(|(at, message, help)| self.error(at, message).with_help(help))?;
        rewrite::mark_asof(&mut query).map_err(|(at, message, help)| self.error(at, message).with_help(help))?;
        rewrite::qualify_using(&mut query);
        rewrite::fetch_as_limit(&mut query);
        arrival::hide(&mut query, &self.sources);
        rewrite::lateral_lists(&mut query).map_err(|(at, message)| self.error(at, message))?;
        windows::rewrite(&mut query, &self.context, &self.sources)
            .map_err(|(at, message, help)| self.error(at, message).with_help(help))?;
        if let Some((at, name)) = locate::unreadable(&query, &self.context, &self.sinks) {
            let known: Vec<_> = self.context.relations.keys().map(String::as_str).collect();
            let is_sink = self.sinks.iter().any(|sink| sink.name == name);
            let error = if is_sink {
                self.error(at, format!("`{name}` is a sink and cannot be read"))
                    .with_help("make what is read a CREATE VIEW, and INSERT INTO the sink from it too")
            } else {
                let is_later =
                    |statement: &Statement| matches!(&statement.kind, StatementKind::View { name: view, .. } if view.text == name);
                let help = match self.statements.iter().any(is_later) {
                    true => format!("view `{name}` is declared further down; move it before this statement"),
                    false => locate::suggestion(&name, &known),
                };
                self.error(at, format!("there is no table or view `{name}`")).with_help(help)
            };
            return Err(error);
        }
        let options = &self.context.state.config_options().sql_parser;
        let options = ParserOptions::new()
            .with_collect_spans(true)
            .with_map_string_types_to_utf8view(false)
            .with_parse_float_as_decimal(options.parse_float_as_decimal);
        let planner = SqlToRel::new_with_options(&self.context, options);
        let plan = planner.sql_statement_to_plan(SqlStatement::Query(Box::new(query))).map_err(|e| self.plan_error(index, &e))?;
        let plan = rewrite::rewrite(plan).map_err(|e| self.plan_error(index, &e))?;
        check::check(&plan).map_err(|unsupported| self.lower_error(index, unsupported))?;
        // Only now are the types final: the sides of a UNION, for one, are brought to one type here.
        let state = &self.context.state;
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).and_then(rewrite::fold_arguments);
        plan.map_err(|e| self.plan_error(index, &e))
    }

    /// What is known of earlier versions of the rows of `name`.
    fn versions(&self, name: &str) -> Versions {
        if self.lookups.iter().any(|table| table.name == name) {
            return Versions::Asked;
        }
        match self.sources.iter().find(|table| table.name == name) {
            Some(table) if table.is_changelog() || !table.append_only => Versions::Gone,
            Some(table) => table.event_time.clone().map_or(Versions::Timeless, Versions::Since),
            None => Versions::Unknown,
        }
    }

    fn optimise(&self, index: usize, plan: LogicalPlan) -> Result<LogicalPlan, Error> {
        self.context.state.optimize(&plan).map_err(|e| self.plan_error(index, &e))
    }

    /// What queries may read beside views.
    fn tables(&self) -> Vec<Table> {
        self.sources.iter().chain(&self.lookups).cloned().collect()
    }

    fn error(&self, at: crate::error::Position, message: impl Into<String>) -> Error {
        Error::new(self.sql, at, message)
    }

    /// An error of DataFusion's planner, at the place it names or at the words it quotes.
    fn plan_error(&self, index: usize, error: &datafusion::error::DataFusionError) -> Error {
        let Place { at, message, help } = locate::plan_error(error, &self.statements[index]);
        let error = self.error(at, message);
        match help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    fn lower_error(&self, index: usize, unsupported: lower::Unsupported) -> Error {
        let statement = &self.statements[index];
        let at = unsupported.word.as_deref().and_then(|word| locate::word(statement, word)).unwrap_or(statement.at);
        let error = self.error(at, unsupported.message);
        if unsupported.help.is_empty() { error } else { error.with_help(unsupported.help) }
    }
}
