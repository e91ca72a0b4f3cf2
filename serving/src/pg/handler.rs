//! Statements: within which bounds they run, whichever way they came.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chimera_connectors::sink::view::Views;
use chimera_pipelines::Handle;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::Statement as Ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_postgres::DfSessionService;
use datafusion_postgres::arrow_pg::datatypes::df;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::hooks::set_show::SetShowHook;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::query::SimpleQueryHandler;
use datafusion_postgres::pgwire::api::results::{QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, ConnectionHandle, METADATA_USER};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use datafusion_postgres::pgwire::types::format::FormatOptions;
use futures::SinkExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::{self, Threads, Written};
use super::catalog::At;
use super::cursors::{self, Cursor, Cursors};
use super::ddl::{self, Done};
use super::read::{Statement, not_allowed, read};
use super::statements::{Piece, chars_before};
use super::{Limits, Role, subscribe, transaction};

/// Where `SET statement_timeout` is remembered, in milliseconds.
const TIMEOUT_KEY: &str = "statement_timeout_ms";

/// Runs the statements of all sessions.
pub(super) struct Handler {
    context: Arc<SessionContext>,
    pub views: Arc<Views>,
    engine: Handle,
    /// Settings; and the planning of prepared statements.
    pub session: DfSessionService,
    pub parser: PostgresCompatibilityParser,
    pub limits: Limits,
    /// Places for cursors.
    cursors: Arc<Semaphore>,
    threads: Threads,
}

/// An error with PostgreSQL's code for it.
pub(super) fn error(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

pub(super) fn failed(cause: DataFusionError) -> PgWireError {
    let code = match cause.find_root() {
        DataFusionError::SQL(..) => "42601",
        // Drivers plan the statement anew, and go on.
        DataFusionError::Plan(message) if message.starts_with("cached plan") => "0A000",
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => "42P01",
        DataFusionError::ResourcesExhausted(_) => "53200",
        DataFusionError::NotImplemented(_) => "0A000",
        DataFusionError::External(cause) if is_away(cause.as_ref()) => return error("55000", cause.to_string()),
        _ => "XX000",
    };
    error(code, cause.strip_backtrace())
}

/// The same with the place in the statement, where the planner says it.
fn failed_in(piece: &Piece<'_>, cause: DataFusionError) -> PgWireError {
    let start = cause.diagnostic().and_then(|diagnostic| diagnostic.span).map(|span| span.start);
    let before = start.and_then(|start| chars_before(piece.text, start.line, start.column));
    match (failed(cause), before) {
        (PgWireError::UserError(mut info), Some(before)) => {
            info.position = Some((piece.at + before + 1).to_string());
            PgWireError::UserError(info)
        }
        (other, _) => other,
    }
}

/// A view that is still being filled, for one.
fn is_away(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    cause.downcast_ref::<chimera_connectors::Error>().is_some_and(chimera_connectors::Error::is_retryable)
}

/// Completes when somebody asks for the statement of this session that begins now to be cancelled.
#[expect(clippy::redundant_allocation, reason = "a session's extensions are handed out as pgwire keeps them")]
pub(super) async fn cancelled(session: Option<Arc<Arc<ConnectionHandle>>>) {
    if let Some(session) = session
        && session.start_query().await.await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

impl Handler {
    pub(super) fn new(context: Arc<SessionContext>, views: Arc<Views>, engine: Handle, limits: Limits) -> Result<Self, DataFusionError> {
        let session = DfSessionService::new_with_hooks(context.clone(), vec![Arc::new(SetShowHook)]);
        let cursors = Arc::new(Semaphore::new(limits.cursors));
        Ok(Self { session, parser: PostgresCompatibilityParser::new(), context, views, engine, limits, cursors, threads: Threads::new()? })
    }

    pub(super) fn timeout(&self, client: &impl ClientInfo) -> Duration {
        let set = client.metadata().get(TIMEOUT_KEY).and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
        set.filter(|timeout| !timeout.is_zero()).unwrap_or(self.limits.timeout)
    }

    /// Runs something within the statement's time.
    pub(super) async fn in_time<T>(&self, timeout: Duration, work: impl Future<Output = PgWireResult<T>>) -> PgWireResult<T> {
        let over = || error("57014", format!("canceling statement due to statement timeout ({} s)", timeout.as_secs_f32()));
        tokio::time::timeout(timeout, work).await.map_err(|_| over())?
    }

    /// The context of one statement: everything that it reads is of this moment.
    fn at_this_moment(&self) -> SessionContext {
        let state = self.context.state();
        let config = state.config().clone().with_extension(Arc::new(At(Arc::new(self.views.moment()))));
        SessionContext::new_with_state(SessionStateBuilder::new_from_existing(state).with_config(config).build())
    }

    /// Plans a query, which was read from `piece`.
    async fn plan(&self, statement: Ast, piece: &Piece<'_>) -> PgWireResult<LogicalPlan> {
        let state = self.context.state();
        let cause = match state.statement_to_plan(DfStatement::Statement(Box::new(statement))).await {
            Ok(plan) => return Ok(plan),
            Err(cause) => cause,
        };
        // The compatible parser forgets places: what fails is planned once more as it was written, to know where.
        if let Some(written) = Parser::parse_sql(&PostgreSqlDialect {}, piece.text).ok().and_then(|mut statements| statements.pop())
            && let Err(located) = state.statement_to_plan(DfStatement::Statement(Box::new(written))).await
            && located.diagnostic().is_some()
        {
            return Err(failed_in(piece, located));
        }
        Err(failed(cause))
    }

    /// The answer of a plan, all of it.
    pub(super) async fn whole(&self, plan: LogicalPlan, format: &Format, client: &impl ClientInfo) -> PgWireResult<QueryResponse> {
        read_only(&plan)?;
        let options = Arc::new(FormatOptions::from_client_metadata(client.metadata()));
        let written = Written { format, options };
        let answer = answer::whole(&self.threads, self.at_this_moment(), plan, self.limits.rows, &written);
        self.in_time(self.timeout(client), answer).await
    }

    /// The answer of a plan, made as it is fetched.
    pub(super) async fn fetched(&self, plan: LogicalPlan, format: &Format, client: &impl ClientInfo) -> PgWireResult<QueryResponse> {
        read_only(&plan)?;
        let place = self.place()?;
        let options = Arc::new(FormatOptions::from_client_metadata(client.metadata()));
        answer::fetched(&self.threads, self.at_this_moment(), plan, self.limits.cursor_idle, place, &Written { format, options }).await
    }

    fn place(&self) -> PgWireResult<OwnedSemaphorePermit> {
        let full = |_| error("53400", format!("there are {} cursors already; close one, or fetch all rows at once", self.limits.cursors));
        self.cursors.clone().try_acquire_owned().map_err(full)
    }

    /// Runs a statement that is no query.
    pub(super) async fn other<C>(&self, client: &mut C, piece: &Piece<'_>, statement: Statement) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        match statement {
            Statement::Empty => Ok(Response::EmptyQuery),
            Statement::Subscribe(wanted) => subscribe::run(client, &self.views, wanted).await,
            Statement::Views(statement) => self.about_views(client, piece, statement).await,
            Statement::Cursor(statement) => self.about_cursors(client, piece, statement).await,
            Statement::Transaction(statement) => {
                let (tag, warning) = transaction::run(client, statement)?;
                if client.transaction_status() == TransactionStatus::Idle {
                    client.portal_store().clear_portals();
                }
                if let Some(warning) = warning {
                    let warning = ErrorInfo::new("WARNING".to_owned(), "25P01".to_owned(), warning.to_owned());
                    client.send(PgWireBackendMessage::NoticeResponse(warning.into())).await?;
                }
                Ok(Response::Execution(Tag::new(tag)))
            }
            Statement::Setting(statement) => {
                let done = SimpleQueryHandler::do_query(&self.session, client, &statement.to_string()).await?.pop();
                Ok(done.unwrap_or(Response::EmptyQuery))
            }
            Statement::Forget(tag) => {
                if tag == "DISCARD ALL" {
                    Cursors::of(client).close(None)?;
                    client.portal_store().clear_portals();
                }
                if tag != "UNLISTEN" {
                    client.metadata_mut().remove(TIMEOUT_KEY);
                }
                Ok(Response::Execution(Tag::new(tag)))
            }
            Statement::Deallocate(name) => {
                if let Some(name) = &name {
                    client.portal_store().rm_statement(name);
                }
                Ok(Response::Execution(Tag::new(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" })))
            }
            Statement::Query(statement) => {
                let plan = self.plan(*statement, piece).await?;
                Ok(Response::Query(self.whole(plan, &Format::UnifiedText, client).await?))
            }
        }
    }

    async fn about_views<C>(&self, client: &mut C, piece: &Piece<'_>, statement: ddl::Statement) -> PgWireResult<Response>
    where
        C: ClientInfo + futures::Sink<PgWireBackendMessage> + Unpin + Send,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let role = client.metadata().get(METADATA_USER).and_then(|user| Role::of(user)).unwrap_or(Role::Reader);
        let timeout = self.timeout(client);
        match ddl::run(client, &self.engine, &self.views, role, piece, statement, timeout).await? {
            Done::Response(response) => Ok(response),
            Done::Lines(lines) => {
                let schema = Arc::new(Schema::new(vec![Field::new(ddl::LINES, DataType::Utf8, false)]));
                let lines = RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(lines))]);
                let answer = lines.map_err(DataFusionError::from).and_then(|lines| self.context.read_batch(lines)).map_err(failed)?;
                Ok(Response::Query(df::encode_dataframe(answer, &Format::UnifiedText, None).await?))
            }
        }
    }

    async fn about_cursors(
        &self,
        client: &mut impl ClientInfo,
        piece: &Piece<'_>,
        statement: cursors::Statement,
    ) -> PgWireResult<Response> {
        let open = Cursors::of(client);
        match statement {
            cursors::Statement::Declare { name, hold, query_at } => {
                let status = client.transaction_status();
                open.check(&name, hold, status)?;
                let text: String = piece.text.chars().skip(query_at).collect();
                let (rows, is_subscription) = match read(&self.parser, &text).map_err(|cause| super::read::moved(cause, query_at))? {
                    Statement::Subscribe(wanted) => (subscribe::cursor(&self.views, &wanted, self.place()?)?, true),
                    Statement::Query(query) => {
                        let plan = self.plan(*query, &Piece { text: &text, at: piece.at + query_at }).await?;
                        (self.fetched(plan, &Format::UnifiedText, client).await?, false)
                    }
                    _ => return Err(error("42601", "a cursor is declared FOR a SELECT, or FOR SUBSCRIBE <view>")),
                };
                open.keep(name, Cursor { rows, hold, is_subscription }, status);
                Ok(Response::Execution(Tag::new("DECLARE CURSOR")))
            }
            cursors::Statement::Fetch { name, rows, is_move, wait } => {
                let bound = self.timeout(client).saturating_add(open.wait(&name, wait));
                self.in_time(bound, open.fetch(&name, rows, self.limits.rows, is_move, wait)).await
            }
            cursors::Statement::Close { name } => open.close(name.as_deref()),
        }
    }
}

fn read_only(plan: &LogicalPlan) -> PgWireResult<()> {
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| not_allowed())
}
