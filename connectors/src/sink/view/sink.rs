//! Writes a view.

use std::sync::Arc;

use async_trait::async_trait;
use fjall::Slice;

use super::CONNECTOR;
use super::key::KeyEncoder;
use super::views::{OpenView, Views};
use crate::format::json::JsonRows;
use crate::options::{Options, primary_key};
use crate::sink::blocking::blocking;
use crate::sink::mark::pending;
use crate::sink::merge::{Merged, Merger};
use crate::sink::{Applied, Sink, SinkSpec};
use crate::{Context, EpochChanges, Result};

struct ViewSink(Arc<Shared>);

struct Shared {
    views: Arc<Views>,
    view: Arc<OpenView>,
    merger: Merger,
}

/// Opens the view of a sink table: connector `view`. Option `id`: what its rows are kept under, in the place of its name; so a view can be
/// filled while another one of its name is read.
pub fn open(spec: &SinkSpec, context: &Context) -> Result<Box<dyn Sink>> {
    let mut options = Options::new(CONNECTOR, spec);
    let id = options.optional("id");
    let key = primary_key(&options, spec)?;
    options.finish()?;
    let merger = Merger::new(CONNECTOR, spec.schema.clone(), key.clone())?;
    let view = context.views.declare(spec, id, KeyEncoder::new(spec.schema.clone(), key)?)?;
    Ok(Box::new(ViewSink(Arc::new(Shared { views: context.views.clone(), view, merger }))))
}

impl Shared {
    fn apply(&self, epochs: &[EpochChanges]) -> Result<()> {
        let epochs = pending(CONNECTOR, self.views.stands_at(&self.view)?, epochs)?;
        let Some(mark) = Applied::after(epochs) else { return Ok(()) };
        let committed_ms = epochs.iter().map(|epoch| epoch.info.committed_ms).max().unwrap_or(0);
        let Merged { upserts, deletes } = self.merger.merge(epochs)?;
        let keys = self.view.keys.encode(&upserts)?;
        let json = JsonRows::new(CONNECTOR, &upserts, &[])?;
        let upserts = (0..upserts.num_rows()).map(|row| (Slice::from(keys.row(row).data()), json.row(row))).collect();
        let keys = self.view.keys.encode(&deletes)?;
        let others: Vec<usize> = (0..deletes.num_columns()).filter(|column| !self.view.keys.columns().contains(column)).collect();
        let json = JsonRows::new(CONNECTOR, &deletes, &others)?;
        let deletes = (0..deletes.num_rows()).map(|row| (Slice::from(keys.row(row).data()), json.row(row))).collect();
        self.views.write(&self.view, upserts, deletes, mark, committed_ms)
    }
}

#[async_trait]
impl Sink for ViewSink {
    async fn applied(&mut self) -> Result<Option<Applied>> {
        self.0.views.stands_at(&self.0.view)
    }

    async fn reset(&mut self) -> Result<()> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.views.reset(&shared.view)).await
    }

    async fn apply(&mut self, epochs: &[EpochChanges]) -> Result<()> {
        let (shared, epochs) = (self.0.clone(), epochs.to_vec());
        blocking(CONNECTOR, move || shared.apply(&epochs)).await
    }

    async fn flush(&mut self) -> Result<()> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.views.flush()).await
    }

    async fn len(&mut self) -> Result<u64> {
        let shared = self.0.clone();
        blocking(CONNECTOR, move || shared.views.len(&shared.view)).await
    }
}
