//! The rows of a plan: whole before the first goes out, or made as they are fetched.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::QueryResponse;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::types::format::FormatOptions;
use futures::{Stream, StreamExt, stream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::handler::{error, failed};

/// The threads on which queries run: none of them is one that sessions are served by, so that a query that computes for long without a pause keeps
/// nobody else's clock from being looked at, nor a request to cancel it from being read.
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self(Some(Builder::new_multi_thread().enable_time().thread_name("views-query").build()?)))
    }

    /// Runs `work`, until it is done or the handle is dropped.
    fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> AbortOnDropHandle<T> {
        // There until it is dropped.
        let runtime = self.0.as_ref().expect("the runtime is there until the end");
        AbortOnDropHandle::new(runtime.spawn(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // What runs is not waited for: whoever asked is gone.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// How an answer is written.
pub(super) struct Written<'a> {
    pub format: &'a Format,
    pub options: Arc<FormatOptions>,
}

impl Written<'_> {
    fn rows<S>(&self, schema: &SchemaRef, batches: S) -> PgWireResult<QueryResponse>
    where
        S: Stream<Item = PgWireResult<RecordBatch>> + Send + 'static,
    {
        let fields = Arc::new(arrow_schema_to_pg_fields(schema, self.format, Some(self.options.clone()))?);
        let columns = fields.clone();
        let rows = batches.flat_map(move |batch| match batch {
            Ok(batch) => stream::iter(encode_recordbatch(columns.clone(), batch)).left_stream(),
            Err(cause) => stream::iter([Err(cause)]).right_stream(),
        });
        Ok(QueryResponse::new(fields, rows))
    }
}

/// The whole answer, so that it is whole before the first row goes out; at most `most` rows.
pub(super) async fn whole(
    threads: &Threads,
    context: SessionContext,
    plan: LogicalPlan,
    most: usize,
    written: &Written<'_>,
) -> PgWireResult<QueryResponse> {
    let task = threads.spawn(collect(context, plan, most));
    let (schema, batches) = task.await.map_err(|cause| error("XX000", format!("the statement broke off: {cause}")))??;
    written.rows(&schema, stream::iter(batches.into_iter().map(Ok)))
}

async fn collect(context: SessionContext, plan: LogicalPlan, most: usize) -> PgWireResult<(SchemaRef, Vec<RecordBatch>)> {
    let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        rows += batch.num_rows();
        if rows > most {
            return Err(error("54000", format!("the answer has more than {most} rows; add a LIMIT, aggregate, or use a cursor")));
        }
        batches.push(batch);
    }
    Ok((schema, batches))
}

/// An answer that is made as it is fetched: a batch or two are in memory, and the views stay as they were at the beginning. It is given up when
/// nothing was fetched from it for `idle`, since what it reads cannot be cleared away. `place` is free again when it ends.
pub(super) async fn fetched(
    threads: &Threads,
    context: SessionContext,
    plan: LogicalPlan,
    idle: Duration,
    place: OwnedSemaphorePermit,
    written: &Written<'_>,
) -> PgWireResult<QueryResponse> {
    let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let (give, take) = mpsc::channel(1);
    let task = threads.spawn(async move {
        let _place = place;
        let mut batches = match frame.execute_stream().await {
            Ok(batches) => batches,
            Err(cause) => return drop(give.send(Some(Err(failed(cause)))).await),
        };
        while let Some(batch) = batches.next().await {
            if give.send_timeout(Some(batch.map_err(failed)), idle).await.is_err() {
                return;
            }
        }
        let _ = give.send_timeout(None, idle).await;
    });
    let batches = stream::unfold(Some((take, task)), move |state| async move {
        let (mut take, task) = state?;
        match take.recv().await {
            Some(Some(Ok(batch))) => Some((Ok(batch), Some((take, task)))),
            Some(Some(Err(cause))) => Some((Err(cause), None)),
            Some(None) => None,
            None => {
                let message = format!("the cursor was closed: nothing was fetched from it for {} s", idle.as_secs());
                Some((Err(error("24000", message)), None))
            }
        }
    });
    written.rows(&schema, batches)
}
