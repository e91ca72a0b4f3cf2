//! Statements about views: CREATE, DROP, ALTER, REFRESH and EXPLAIN of materialized views, and their indexes.
//!
//! A view that is created is a pipeline of its own (see `chimera_pipelines`). CREATE answers when the view has caught up, or when the
//! statement's time is over; then it goes on filling, and a notice says so.

mod index;
mod parse;

use std::sync::Arc;
use std::time::Duration;

use chimera_connectors::sink::view::Views;
use chimera_pipelines::{Actor, Handle, ViewError, ViewStatus};
use datafusion_postgres::pgwire::api::results::{Response, Tag};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use futures::{Sink, SinkExt};

use super::Role;
use super::handler::error;
use super::statements::Piece;
use index::Made;
pub(super) use parse::{Statement, parse};

/// The column of [`Done::Lines`].
pub(super) const LINES: &str = "QUERY PLAN";

/// What a statement comes to.
pub(super) enum Done {
    Response(Response),
    /// Lines for the client: the answer of EXPLAIN.
    Lines(Vec<String>),
}

/// Runs a statement about views on behalf of `role`.
pub(super) async fn run<C>(
    client: &mut C,
    engine: &Handle,
    views: &Arc<Views>,
    role: Role,
    piece: &Piece<'_>,
    statement: Statement,
    timeout: Duration,
) -> PgWireResult<Done>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let explains = matches!(statement, Statement::ExplainCreate { .. } | Statement::Explain { .. });
    if role == Role::Reader && !explains {
        return Err(error("42501", "user reader may only read; analysts create views and indexes"));
    }
    let by = Actor { name: role.name(), owns_all: role == Role::Operator };
    let failed = |cause| refused(piece, 0, cause);
    match statement {
        Statement::Create => match engine.create_view(piece.text, by).await.map_err(failed)? {
            None => {
                notice(client, "there is a view of that name already, skipping".into(), None).await?;
                Ok(tag("CREATE MATERIALIZED VIEW"))
            }
            Some(id) => {
                if !engine.filled(id, timeout).await.map_err(failed)? {
                    let message = "the view is being filled: this takes longer than the statement may".to_owned();
                    notice(client, message, Some("it goes on, and can be read as soon as it has caught up".into())).await?;
                }
                tell_of_copies(client, engine, id).await?;
                Ok(tag("CREATE MATERIALIZED VIEW"))
            }
        },
        Statement::Drop { names, if_exists } => {
            for name in names {
                match engine.drop_view(&name, by).await {
                    Err(ViewError::Unknown(_)) if if_exists => {
                        notice(client, format!("materialized view \"{name}\" does not exist, skipping"), None).await?;
                    }
                    done => done.map_err(failed)?,
                }
            }
            Ok(tag("DROP MATERIALIZED VIEW"))
        }
        Statement::Rename { name, to, if_exists } => {
            match engine.rename_view(&name, &to, by).await {
                Err(ViewError::Unknown(_)) if if_exists => {
                    notice(client, format!("materialized view \"{name}\" does not exist, skipping"), None).await?;
                }
                done => done.map_err(failed)?,
            }
            Ok(tag("ALTER MATERIALIZED VIEW"))
        }
        Statement::Refresh { name } => {
            let is_there = find(engine, &name).is_some() || engine.store(&name).is_some();
            if !is_there {
                return Err(failed(ViewError::Unknown(name)));
            }
            notice(client, format!("\"{name}\" is always fresh: it follows its sources by itself"), None).await?;
            Ok(tag("REFRESH MATERIALIZED VIEW"))
        }
        Statement::ExplainCreate { at } => {
            let text: String = piece.text.chars().skip(at).collect();
            let program = engine.plan_view(&text).map_err(|cause| refused(piece, at, cause))?;
            Ok(Done::Lines(lines(&program.explain())))
        }
        Statement::Explain { name } => {
            if let Some(view) = find(engine, &name) {
                let program = engine.plan_view(&view.view.statement).map_err(failed)?;
                return Ok(Done::Lines(describe(&view).chain(lines(&program.explain())).collect()));
            }
            // A store of the binary's: its pipeline's plan, with the other stores that it shares operators with.
            let pipeline = engine.store(&name).map(|store| store.pipeline).ok_or_else(|| failed(ViewError::Unknown(name)))?;
            Ok(Done::Lines(lines(&engine.program(&pipeline).map_err(failed)?.explain())))
        }
        Statement::CreateIndex(wanted) => {
            let concurrently = wanted.concurrently;
            match index::create(engine, views, by, wanted, timeout).await? {
                Made::Exists(name) => notice(client, format!("relation \"{name}\" already exists, skipping"), None).await?,
                Made::Building if !concurrently => {
                    let message = "the index is being built: this takes longer than the statement may".to_owned();
                    notice(client, message, Some("it goes on, and is used as soon as it is complete".into())).await?;
                }
                Made::Complete | Made::Building => {}
            }
            Ok(tag("CREATE INDEX"))
        }
        Statement::DropIndex { names, if_exists } => {
            for name in names {
                if index::drop_index(engine, views, by, &name).await? {
                    continue;
                }
                let message = format!("index \"{name}\" does not exist");
                if !if_exists {
                    return Err(error("42704", message));
                }
                notice(client, format!("{message}, skipping"), None).await?;
            }
            Ok(tag("DROP INDEX"))
        }
    }
}

fn find(engine: &Handle, name: &str) -> Option<ViewStatus> {
    engine.created_views().into_iter().find(|view| view.view.name == name && !view.is_shadow)
}

fn tag(name: &str) -> Done {
    Done::Response(Response::Execution(Tag::new(name)))
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn describe(view: &ViewStatus) -> impl Iterator<Item = String> + use<> {
    let state = match &view.error {
        Some(error) => format!("does not run: {error}"),
        None if view.view.filled => format!("at epoch {}", view.epoch),
        None => format!("is being filled: epoch {} of {}", view.epoch, view.target),
    };
    std::iter::once(format!("{}, of {}, {state}", view.view.name, view.view.owner))
}

/// Says that equal rows are counted, which the analyst did not write.
async fn tell_of_copies<C>(client: &mut C, engine: &Handle, id: u64) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let view = engine.created_views().into_iter().find(|view| view.view.id == id);
    let program = view.and_then(|view| engine.plan_view(&view.view.statement).ok());
    if program.is_some_and(|program| program.counts_copies) {
        let message = "the rows of the view have no key: equal ones are kept as one, and column \"copies\" says how many there are".into();
        notice(client, message, Some("select the keys of the tables, or group".into())).await?;
    }
    Ok(())
}

async fn notice<C>(client: &mut C, message: String, hint: Option<String>) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let mut notice = info("NOTICE", "00000", message);
    notice.hint = hint;
    Ok(client.send(PgWireBackendMessage::NoticeResponse(notice.into())).await?)
}

fn info(severity: &str, code: &str, message: String) -> ErrorInfo {
    ErrorInfo::new(severity.to_owned(), code.to_owned(), message)
}

/// Why a view cannot be what is asked for, as PostgreSQL says it. `skipped`: characters of the piece before the statement that was read.
fn refused(piece: &Piece<'_>, skipped: usize, cause: ViewError) -> PgWireError {
    let code = match &cause {
        ViewError::Statement(cause) if cause.message.contains("no table or view") => "42P01",
        ViewError::Statement(cause) if cause.message.contains("column") => "42703",
        ViewError::Statement(_) => "42601",
        ViewError::Name { .. } => "42602",
        ViewError::Option { .. } => "22023",
        ViewError::Exists(_) => "42P07",
        ViewError::Unknown(_) => "42P01",
        ViewError::NotOwner { .. } => "42501",
        ViewError::IsRead { .. } => "2BP01",
        ViewError::BuiltIn(_) => "42809",
        ViewError::TooMany => "53400",
        ViewError::Broken { .. } => "55000",
        ViewError::Failed(_) => "XX000",
    };
    let mut info = info("ERROR", code, cause.to_string());
    match cause {
        ViewError::Statement(cause) => {
            let before = super::statements::chars_before(&piece.text.chars().skip(skipped).collect::<String>(), cause.line, cause.column);
            info.position = before.map(|before| (piece.at + skipped + before + 1).to_string());
            info.message = cause.message;
            info.hint = cause.help;
        }
        ViewError::IsRead { readers, .. } => info.hint = Some(format!("drop {} first", readers.join(", "))),
        ViewError::Exists(_) => info.hint = Some("CREATE OR REPLACE puts another one in its place, without a gap for readers".into()),
        _ => {}
    }
    PgWireError::UserError(Box::new(info))
}
