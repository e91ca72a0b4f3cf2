//! BEGIN, COMMIT and their kin. Nothing is written in a transaction: it is where cursors live, and what an error breaks off.

use datafusion::sql::sqlparser::ast::Statement as Ast;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;

use super::cursors::Cursors;
use super::handler::error;

/// A statement about the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    Begin { is_start: bool },
    Commit { chain: bool },
    Rollback { chain: bool },
    Savepoint,
    Release,
    RollbackTo,
}

/// `None`: another statement.
pub(super) fn of(statement: &Ast) -> Option<Statement> {
    Some(match statement {
        Ast::StartTransaction { begin, .. } => Statement::Begin { is_start: !begin },
        Ast::Commit { chain, .. } => Statement::Commit { chain: *chain },
        Ast::Rollback { chain, savepoint: None } => Statement::Rollback { chain: *chain },
        Ast::Rollback { savepoint: Some(_), .. } => Statement::RollbackTo,
        Ast::Savepoint { .. } => Statement::Savepoint,
        Ast::ReleaseSavepoint { .. } => Statement::Release,
        _ => return None,
    })
}

/// After a statement that failed: what its transaction had open is closed with it.
pub(super) fn broken_off<C>(client: &mut C)
where
    C: ClientInfo + ClientPortalStore,
    C::PortalStore: PortalStore,
{
    if client.transaction_status() != TransactionStatus::Idle {
        Cursors::of(client).end(false);
        client.portal_store().clear_portals();
    }
}

/// Runs it: the command's tag, and what the client is warned of.
pub(super) fn run(client: &mut impl ClientInfo, statement: Statement) -> PgWireResult<(&'static str, Option<&'static str>)> {
    use TransactionStatus::{Error, Idle, Transaction};
    let status = client.transaction_status();
    let none = "there is no transaction in progress";
    match (statement, status) {
        (Statement::Begin { is_start }, Idle | Transaction) => {
            client.set_transaction_status(Transaction);
            let there = (status == Transaction).then_some("there is already a transaction in progress");
            Ok((if is_start { "START TRANSACTION" } else { "BEGIN" }, there))
        }
        (Statement::Begin { .. } | Statement::Savepoint | Statement::Release, Error) => Err(aborted()),
        (Statement::Commit { chain } | Statement::Rollback { chain }, _) => {
            let committed = matches!(statement, Statement::Commit { .. }) && status != Error;
            Cursors::of(client).end(committed);
            client.set_transaction_status(if chain && status != Idle { Transaction } else { Idle });
            Ok((if committed { "COMMIT" } else { "ROLLBACK" }, (status == Idle).then_some(none)))
        }
        (Statement::Savepoint | Statement::Release | Statement::RollbackTo, Idle) => {
            Err(error("25P01", "savepoints can only be used in transaction blocks"))
        }
        (Statement::Savepoint, Transaction) => Ok(("SAVEPOINT", None)),
        (Statement::Release, Transaction) => Ok(("RELEASE", None)),
        (Statement::RollbackTo, Transaction | Error) => {
            client.set_transaction_status(Transaction);
            Ok(("ROLLBACK", None))
        }
    }
}

/// After an error only its end is listened to.
pub(super) fn aborted() -> datafusion_postgres::pgwire::error::PgWireError {
    error("25P02", "current transaction is aborted, commands ignored until end of transaction block")
}
