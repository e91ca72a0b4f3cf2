//! `SUBSCRIBE <pipeline>.<view>`: its rows, and then every change, until the client goes away. As rows, or with
//! `COPY (SUBSCRIBE <view>) TO STDOUT` as lines, which psql shows as they come.

use std::sync::Arc;

use bytes::Bytes;
use chimera_connectors::sink::view::{Subscription, View, ViewUpdate, Views};
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use datafusion_postgres::pgwire::messages::data::{DataRow, RowDescription};
use futures::{Sink, SinkExt, Stream, StreamExt, stream};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;

use super::handler::error;

/// Rows of the view as it is; a larger view is refused, since a part of it would be no state to go on from.
const SNAPSHOT_ROWS: usize = 100_000;

#[derive(Clone, Debug)]
pub(super) struct Wanted {
    view: String,
    as_copy: bool,
}

/// `None`: another statement.
pub(super) fn parse(query: &str) -> PgWireResult<Option<Wanted>> {
    let words: Vec<String> = query
        .trim()
        .trim_end_matches(';')
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
        .map(|word| word.trim_matches('"').to_owned())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    let usage = || error("42601", "write SUBSCRIBE <pipeline>.<view>, or COPY (SUBSCRIBE <pipeline>.<view>) TO STDOUT");
    let (inner, as_copy) = match words[..] {
        [copy, "(", ref inner @ .., ")", to, stdout] if is(copy, "COPY") && is(to, "TO") && is(stdout, "STDOUT") => (inner, true),
        ref inner => (inner, false),
    };
    match inner {
        [subscribe, view] if is(subscribe, "SUBSCRIBE") => Ok(Some(Wanted { view: (*view).to_owned(), as_copy })),
        [subscribe, to, view] if is(subscribe, "SUBSCRIBE") && is(to, "TO") => Ok(Some(Wanted { view: (*view).to_owned(), as_copy })),
        [subscribe, ..] if is(subscribe, "SUBSCRIBE") => Err(usage()),
        _ => Ok(None),
    }
}

/// A line: the epoch, what happened, and the row (of a deleted one only the key).
type Line = Vec<Option<String>>;

/// The columns and the lines of a subscription.
fn open(
    views: &Arc<Views>,
    wanted: &Wanted,
) -> PgWireResult<(Arc<Vec<FieldInfo>>, impl Stream<Item = PgWireResult<Line>> + Send + 'static)> {
    let unknown = || {
        let known: Vec<String> = views.list().into_iter().map(|view| view.name).collect();
        error("42P01", format!("there is no view \"{}\"; there are: {}", wanted.view, known.join(", ")))
    };
    let view = views.list().into_iter().find(|view| view.name == wanted.view).ok_or_else(unknown)?;
    let subscription = views.snapshot_and_subscribe(&view.name, SNAPSHOT_ROWS).map_err(|cause| error("XX000", cause.to_string()))?;
    let subscription = subscription.ok_or_else(unknown)?;
    if subscription.truncated {
        return Err(error("54000", format!("{} has more than {SNAPSHOT_ROWS} rows: too many to subscribe to", view.name)));
    }
    let names = ["epoch", "change"].into_iter().chain(view.columns.iter().map(|column| column.name.as_str()));
    let fields: Vec<FieldInfo> = names.map(|name| FieldInfo::new(name.to_owned(), None, None, Type::TEXT, FieldFormat::Text)).collect();
    Ok((Arc::new(fields), lines(view, subscription)))
}

/// A subscription as a cursor's rows; `place` is free again when it ends.
pub(super) fn cursor(views: &Arc<Views>, wanted: &Wanted, place: OwnedSemaphorePermit) -> PgWireResult<QueryResponse> {
    let (fields, lines) = open(views, wanted)?;
    let columns = fields.clone();
    let rows = lines.map(move |line| {
        let _held = &place;
        row(&columns, &line?)
    });
    Ok(QueryResponse::new(fields, rows))
}

/// Sends the rows and then every change, each at once. Ends only with an error: that of the client that went away, as a rule.
pub(super) async fn run<C>(client: &mut C, views: &Arc<Views>, wanted: Wanted) -> PgWireResult<Response>
where
    C: Sink<PgWireBackendMessage> + Unpin + Send,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let (fields, lines) = open(views, &wanted)?;
    let first = if wanted.as_copy {
        let columns = fields.len() as i16;
        PgWireBackendMessage::CopyOutResponse(CopyOutResponse::new(0, columns, vec![0; fields.len()]))
    } else {
        PgWireBackendMessage::RowDescription(RowDescription::new(fields.iter().map(Into::into).collect()))
    };
    client.send(first).await?;
    let mut lines = std::pin::pin!(lines);
    while let Some(line) = lines.next().await {
        let line = line?;
        let message = if wanted.as_copy {
            PgWireBackendMessage::CopyData(CopyData::new(Bytes::from(copy_text(&line))))
        } else {
            PgWireBackendMessage::DataRow(row(&fields, &line)?)
        };
        client.send(message).await?;
    }
    if wanted.as_copy {
        client.send(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
    }
    Ok(Response::Execution(Tag::new("SUBSCRIBE")))
}

/// The rows as they are, then every change.
fn lines(view: View, subscription: Subscription) -> impl Stream<Item = PgWireResult<Line>> + Send + 'static {
    let Subscription { applied, rows, updates, .. } = subscription;
    let view = Arc::new(view);
    let epoch = applied.map_or(0, |applied| applied.epoch);
    let first: Vec<_> = rows.iter().map(|row| Ok(line(&view, epoch, "upsert", row))).collect();
    let later = stream::unfold((updates, epoch, false), |(mut updates, epoch, ended)| async move {
        if ended {
            return None;
        }
        let lost = || error("55000", "the subscription fell behind, or the view was built anew; subscribe again");
        loop {
            match updates.recv().await {
                // The snapshot has it already.
                Ok(update) if update.epoch <= epoch && !update.resync => {}
                Ok(update) if update.resync => return Some((Err(lost()), (updates, epoch, true))),
                Ok(update) => return Some((Ok(update), (updates, epoch, false))),
                Err(RecvError::Lagged(_)) => return Some((Err(lost()), (updates, epoch, true))),
                Err(RecvError::Closed) => return None,
            }
        }
    });
    let later = later.flat_map(move |update| stream::iter(changes(&view, update)));
    stream::iter(first).chain(later)
}

fn changes(view: &View, update: PgWireResult<Arc<ViewUpdate>>) -> Vec<PgWireResult<Line>> {
    let update = match update {
        Ok(update) => update,
        Err(error) => return vec![Err(error)],
    };
    let deletes = update.deletes.iter().map(|key| Ok(line(view, update.epoch, "delete", key)));
    let upserts = update.upserts.iter().map(|row| Ok(line(view, update.epoch, "upsert", row)));
    deletes.chain(upserts).collect()
}

fn line(view: &View, epoch: u64, change: &str, row: &Value) -> Line {
    let mut line = vec![Some(epoch.to_string()), Some(change.to_owned())];
    line.extend(view.columns.iter().map(|column| match row.get(&column.name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    }));
    line
}

fn row(fields: &Arc<Vec<FieldInfo>>, line: &Line) -> PgWireResult<DataRow> {
    let mut encoder = DataRowEncoder::new(fields.clone());
    line.iter().try_for_each(|value| encoder.encode_field(value))?;
    Ok(encoder.take_row())
}

/// PostgreSQL's text format of COPY: tabs between values, `\N` for a null.
fn copy_text(line: &Line) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r");
    let values: Vec<String> = line.iter().map(|value| value.as_deref().map_or("\\N".to_owned(), escaped)).collect();
    values.join("\t") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_told_from_other_statements() {
        let view = |query: &str| parse(query).ok().flatten().map(|wanted| (wanted.view, wanted.as_copy));
        assert_eq!(view("SUBSCRIBE sales.totals;"), Some(("sales.totals".into(), false)));
        assert_eq!(view("subscribe to \"sales.totals\""), Some(("sales.totals".into(), false)));
        assert_eq!(view("COPY (SUBSCRIBE sales.totals) TO STDOUT"), Some(("sales.totals".into(), true)));
        assert_eq!(view("SELECT 1"), None);
        assert_eq!(view("COPY (SELECT 1) TO STDOUT"), None);
        assert!(parse("SUBSCRIBE").is_err() && parse("SUBSCRIBE a b c").is_err());
    }

    #[test]
    fn lines_of_copy_are_escaped() {
        assert_eq!(copy_text(&vec![Some("a\tb\\".into()), None, Some("c\nd".into())]), "a\\tb\\\\\t\\N\tc\\nd\n");
    }
}
