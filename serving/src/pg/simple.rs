//! The simple protocol: a message of statements, as psql sends it.

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::query::{SimpleQueryHandler, send_execution_response, send_query_response, send_ready_for_query};
use datafusion_postgres::pgwire::api::results::Response;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, PgWireConnectionState};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};
use datafusion_postgres::pgwire::messages::simplequery::Query;
use futures::SinkExt;

use super::handler::{Handler, cancelled};
use super::read::{moved, read};
use super::statements::split;
use super::transaction;

#[async_trait]
impl SimpleQueryHandler for Handler {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let cancelled = cancelled(client.session_extensions().get());
        let done = tokio::select! {
            done = self.do_query(client, &query.query) => done,
            () = cancelled => Err(PgWireError::QueryCanceled),
        };
        if done.is_err() {
            transaction::broken_off(client);
        }
        done?;
        client.set_state(PgWireConnectionState::ReadyForQuery);
        let status = client.transaction_status();
        send_ready_for_query(client, status).await
    }

    /// Runs the statements one after the other, and sends each answer before the next one runs. Nothing is left to be sent.
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + futures::Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: std::fmt::Debug,
        PgWireError: From<<C as futures::Sink<PgWireBackendMessage>>::Error>,
    {
        let mut is_empty = true;
        for piece in split(query) {
            let statement = read(&self.parser, piece.text).map_err(|cause| moved(cause, piece.at))?;
            if client.transaction_status() == TransactionStatus::Error && !statement.ends_transaction() {
                return Err(transaction::aborted());
            }
            match self.other(client, &piece, statement).await? {
                Response::Query(rows) => send_query_response(client, rows, true).await?,
                Response::Execution(tag) => send_execution_response(client, tag).await?,
                // A comment among statements is not answered.
                _ => continue,
            }
            is_empty = false;
        }
        if is_empty {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        Ok(Vec::new())
    }
}
