//! Statements: what is allowed, and within which bounds it runs.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use chimera_connectors::sink::view::Views;
use chimera_pipelines::Handle;
use datafusion::catalog::MemTable;
use datafusion::common::ParamValues;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion_postgres::DfSessionService;
use datafusion_postgres::arrow_pg::datatypes::df;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::Response;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, METADATA_USER};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::types::format::FormatOptions;
use futures::StreamExt;
use tokio_util::task::AbortOnDropHandle;

use super::catalog::At;
use super::ddl::{self, Done};
use super::prepared::Prepared;
use super::statements::{Piece, split};
use super::{Limits, Role, subscribe};

/// Where `SET statement_timeout` is remembered, in milliseconds.
const TIMEOUT_KEY: &str = "statement_timeout_ms";

/// Runs the statements of all sessions.
pub(super) struct Handler {
    context: Arc<SessionContext>,
    views: Arc<Views>,
    engine: Handle,
    /// Settings, transactions and cursors; and the planning of prepared statements.
    session: DfSessionService,
    parser: PostgresCompatibilityParser,
    limits: Limits,
}

/// An error with PostgreSQL's code for it.
pub(super) fn error(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

fn failed(cause: DataFusionError) -> PgWireError {
    let code = match cause.find_root() {
        DataFusionError::SQL(..) => "42601",
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => "42P01",
        DataFusionError::ResourcesExhausted(_) => "53200",
        DataFusionError::NotImplemented(_) => "0A000",
        DataFusionError::External(cause) if is_away(cause.as_ref()) => return error("55000", cause.to_string()),
        _ => "XX000",
    };
    error(code, cause.strip_backtrace())
}

/// A view that is still being filled, for one.
fn is_away(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    cause.downcast_ref::<chimera_connectors::Error>().is_some_and(chimera_connectors::Error::is_retryable)
}

impl Handler {
    pub(super) fn new(context: Arc<SessionContext>, views: Arc<Views>, engine: Handle, limits: Limits) -> Self {
        let (session, parser) = (DfSessionService::new(context.clone()), PostgresCompatibilityParser::new());
        Self { session, parser, context, views, engine, limits }
    }

    fn timeout(&self, client: &impl ClientInfo) -> Duration {
        let set = client.metadata().get(TIMEOUT_KEY).and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
        set.filter(|timeout| !timeout.is_zero()).unwrap_or(self.limits.timeout)
    }

    /// Runs a statement about views.
    async fn about_views<C>(&self, client: &mut C, piece: &Piece<'_>, statement: ddl::Statement) -> PgWireResult<Response>
    where
        C: ClientInfo + futures::Sink<PgWireBackendMessage> + Unpin + Send,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let role = client.metadata().get(METADATA_USER).and_then(|user| Role::of(user)).unwrap_or(Role::Reader);
        let timeout = self.timeout(client);
        match ddl::run(client, &self.engine, role, piece, statement, timeout).await? {
            Done::Response(response) => Ok(response),
            Done::Lines(lines) => {
                let schema = Arc::new(Schema::new(vec![Field::new("QUERY PLAN", DataType::Utf8, false)]));
                let lines = RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(lines))]);
                let answer = lines.map_err(DataFusionError::from).and_then(|lines| self.context.read_batch(lines)).map_err(failed)?;
                Ok(Response::Query(df::encode_dataframe(answer, &Format::UnifiedText, None).await?))
            }
        }
    }

    /// The context of one statement: everything that it reads is of this moment.
    fn at_this_moment(&self) -> SessionContext {
        let state = self.context.state();
        let config = state.config().clone().with_extension(Arc::new(At(self.views.moment())));
        SessionContext::new_with_state(SessionStateBuilder::new_from_existing(state).with_config(config).build())
    }

    async fn run(&self, context: &SessionContext, plan: LogicalPlan, format: &Format, client: &impl ClientInfo) -> PgWireResult<Response> {
        let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        read_only.verify_plan(&plan).map_err(|_| not_allowed())?;
        let timeout = self.timeout(client);
        // A task of its own: an operator that computes for long without a pause would keep the clock from being looked at.
        let task = AbortOnDropHandle::new(tokio::spawn(collect(context.clone(), plan, self.limits.rows)));
        let answer = tokio::time::timeout(timeout, task).await;
        let answer =
            answer.map_err(|_| error("57014", format!("canceling statement due to statement timeout ({} s)", timeout.as_secs_f32())))?;
        let answer = answer.map_err(|cause| error("XX000", format!("the statement broke off: {cause}")))??;
        let options = Arc::new(FormatOptions::from_client_metadata(client.metadata()));
        Ok(Response::Query(df::encode_dataframe(answer, format, Some(options)).await?))
    }
}

impl Handler {
    /// Runs a statement that is not about views.
    async fn statement<C>(&self, client: &mut C, text: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let mut responses = Vec::new();
        for statement in self.parser.parse(text).map_err(|cause| error("42601", cause.to_string()))? {
            if is_query(&statement) {
                let context = self.at_this_moment();
                let plan = context.state().statement_to_plan(DfStatement::Statement(Box::new(statement))).await.map_err(failed)?;
                responses.push(self.run(&context, plan, &Format::UnifiedText, client).await?);
            } else if is_of_session(&statement) {
                responses.extend(SimpleQueryHandler::do_query(&self.session, client, &statement.to_string()).await?);
            } else {
                return Err(not_allowed());
            }
        }
        Ok(responses)
    }
}

/// The whole answer, so that it is whole before the first row goes out.
async fn collect(context: SessionContext, plan: LogicalPlan, most: usize) -> PgWireResult<DataFrame> {
    let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        rows += batch.num_rows();
        if rows > most {
            return Err(error("54000", format!("the answer has more than {most} rows; add a LIMIT or aggregate")));
        }
        batches.push(batch);
    }
    let table = MemTable::try_new(schema, vec![batches]).map_err(failed)?;
    context.read_table(Arc::new(table)).map_err(failed)
}

fn not_allowed() -> PgWireError {
    error("25006", "only reading is allowed here, and CREATE, ALTER and DROP MATERIALIZED VIEW; rows are written by pipelines alone")
}

/// Statements of a session that touch no data. Settings of the engine are those of all sessions, its limits among them.
fn is_of_session(statement: &Statement) -> bool {
    let is_of_engine = || statement.to_string().replace('"', "").to_lowercase().contains("datafusion.");
    if matches!(statement, Statement::Set(_)) && is_of_engine() {
        return false;
    }
    matches!(
        statement,
        Statement::Set(_)
            | Statement::ShowVariable { .. }
            | Statement::ShowStatus { .. }
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Discard { .. }
            | Statement::Close { .. }
            | Statement::Deallocate { .. }
    )
}

fn is_query(statement: &Statement) -> bool {
    matches!(statement, Statement::Query(_) | Statement::Explain { .. })
}

#[async_trait]
impl SimpleQueryHandler for Handler {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let mut responses = Vec::new();
        for piece in split(query) {
            if let Some(wanted) = subscribe::parse(piece.text)? {
                responses.push(subscribe::run(client, &self.views, wanted).await?);
            } else if let Some(statement) = ddl::parse(piece.text)? {
                responses.push(self.about_views(client, &piece, statement).await?);
            } else {
                responses.extend(self.statement(client, piece.text).await?);
            }
        }
        if responses.is_empty() { Ok(vec![Response::EmptyQuery]) } else { Ok(responses) }
    }
}

#[async_trait]
impl ExtendedQueryHandler for Handler {
    type Statement = <DfSessionService as ExtendedQueryHandler>::Statement;
    type QueryParser = Prepared;

    fn query_parser(&self) -> Arc<Prepared> {
        Arc::new(Prepared(self.session.query_parser()))
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Self::Statement>, max_rows: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Self::Statement>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let (text, planned) = &portal.statement.statement;
        let Some((statement, plan)) = planned else {
            return match ddl::parse(text)? {
                Some(statement) => self.about_views(client, &Piece { text, at: 0 }, statement).await,
                None => Ok(Response::EmptyQuery),
            };
        };
        if is_of_session(statement) {
            return ExtendedQueryHandler::do_query(&self.session, client, portal, max_rows).await;
        }
        if !is_query(statement) {
            return Err(not_allowed());
        }
        let types = plan.get_parameter_types().map_err(failed)?;
        // $2 comes before $10.
        let mut numbered: Vec<(usize, _)> = types
            .iter()
            .map(|(name, data_type)| (name.trim_start_matches('$').parse().unwrap_or(usize::MAX), data_type.as_ref()))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        let types: Vec<_> = numbered.into_iter().map(|(_, data_type)| data_type).collect();
        let values: ParamValues = df::deserialize_parameters(portal, &types)?;
        let context = self.at_this_moment();
        let plan = plan.clone().replace_params_with_values(&values).map_err(failed)?;
        self.run(&context, plan, &portal.result_column_format, client).await
    }
}
