//! The extended protocol: statements are prepared, bound and run, as drivers do, a number of rows at a time if they ask for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::common::ParamValues;
use datafusion_postgres::arrow_pg::datatypes::df;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::api::portal::{Portal, PortalExecutionState};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, send_execution_response, send_ready_for_query};
use datafusion_postgres::pgwire::api::results::{QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::extendedquery::{Execute, PortalSuspended, Sync as PgSync};
use datafusion_postgres::pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};
use futures::{SinkExt, StreamExt};

use super::handler::{Handler, cancelled, error, failed};
use super::prepared::{Prepared, Preparer};
use super::read::Statement;
use super::statements::Piece;
use super::transaction;

#[async_trait]
impl ExtendedQueryHandler for Handler {
    type Statement = Prepared;
    type QueryParser = Preparer;

    fn query_parser(&self) -> Arc<Preparer> {
        Arc::new(Preparer { planner: self.session.query_parser(), parser: PostgresCompatibilityParser::new() })
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let cancelled = cancelled(client.session_extensions().get());
        let done = tokio::select! {
            done = self.execute(client, &message) => done,
            () = cancelled => Err(PgWireError::QueryCanceled),
        };
        if done.is_err() {
            transaction::broken_off(client);
        }
        done?;
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    /// Portals live as long as their transaction; without one, until here.
    async fn on_sync<C>(&self, client: &mut C, _message: PgSync) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let status = client.transaction_status();
        if status == TransactionStatus::Idle {
            client.portal_store().clear_portals();
        }
        send_ready_for_query(client, status).await
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, max_rows: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &portal.statement.statement;
        if client.transaction_status() == TransactionStatus::Error && !prepared.statement.ends_transaction() {
            return Err(transaction::aborted());
        }
        let (Statement::Query(_), Some(plan)) = (&prepared.statement, prepared.plan()) else {
            return self.other(client, &Piece { text: &prepared.text, at: 0 }, prepared.statement.clone()).await;
        };
        let types = plan.get_parameter_types().map_err(failed)?;
        // $2 comes before $10.
        let mut numbered: Vec<(usize, _)> = types
            .iter()
            .map(|(name, data_type)| (name.trim_start_matches('$').parse().unwrap_or(usize::MAX), data_type.as_ref()))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        let types: Vec<_> = numbered.into_iter().map(|(_, data_type)| data_type).collect();
        let values: ParamValues = df::deserialize_parameters(portal, &types)?;
        let plan = plan.clone().replace_params_with_values(&values).map_err(failed)?;
        let format = &portal.result_column_format;
        let answer = if max_rows == 0 { self.whole(plan, format, client).await? } else { self.fetched(plan, format, client).await? };
        Ok(Response::Query(answer))
    }
}

impl Handler {
    /// Begins a portal's statement, or goes on with it, and sends as many rows as are asked for.
    async fn execute<C>(&self, client: &mut C, message: &Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal)) => portal,
            Some(Entry::Empty) => return Ok(client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?),
            None => return Err(PgWireError::PortalNotFound(name.to_owned())),
        };
        // Not above zero: all of them.
        let most = usize::try_from(message.max_rows).unwrap_or(0);
        let state = portal.state();
        let mut state = state.lock().await;
        let begins = matches!(*state, PortalExecutionState::Initial);
        if begins {
            match self.do_query(client, &portal, most).await? {
                Response::Query(rows) => *state = PortalExecutionState::Suspended(rows),
                Response::Execution(tag) => return send_execution_response(client, tag).await,
                _ => return Ok(client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?),
            }
        }
        let PortalExecutionState::Suspended(rows) = &mut *state else {
            return send_execution_response(client, Tag::new("SELECT").with_rows(0)).await;
        };
        // A whole answer is made already: only the client's own pace is left.
        let timeout = if begins && most == 0 { Duration::MAX } else { self.timeout(client) };
        let (sent, is_whole) = self.in_time(timeout, send_rows(client, rows, most, self.limits.rows)).await?;
        if !is_whole {
            return Ok(client.feed(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?);
        }
        let tag = Tag::new(rows.command_tag()).with_rows(sent);
        *state = PortalExecutionState::Finished;
        send_execution_response(client, tag).await
    }
}

/// Sends up to `most` rows, or all, but then not more than `bound`: how many, and whether they were all.
async fn send_rows<C>(client: &mut C, rows: &mut QueryResponse, most: usize, bound: usize) -> PgWireResult<(usize, bool)>
where
    C: futures::Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
{
    let mut sent = 0;
    while most == 0 || sent < most {
        let Some(row) = rows.data_rows().next().await else { return Ok((sent, true)) };
        if most == 0 && sent == bound {
            return Err(error("54000", format!("the answer has more than {bound} rows; fetch fewer of them at a time")));
        }
        client.feed(PgWireBackendMessage::DataRow(row?)).await?;
        sent += 1;
    }
    Ok((sent, false))
}
