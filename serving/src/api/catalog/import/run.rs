//! From a file to its report.

use std::fs::File;

use axum::http::HeaderMap;
use tokio::sync::mpsc;

use super::batch::{self, Batch};
use super::file::{self, Format};
use super::report::ImportReport;
use super::{MAX_LINES, apply};
use crate::api::access::Caller;
use crate::api::catalog::Write;
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;

/// Batches that were read ahead.
const AHEAD: usize = 2;

/// Reads and writes a whole file. The headers say up to where a read has to go to show it; a dry run wrote nothing.
pub async fn run(app: &App, caller: &Caller, file: File, format: Format, is_dry_run: bool) -> Result<(HeaderMap, ImportReport)> {
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let reader = tokio::task::spawn_blocking(move || read(&file, format, &sender));
    let mut report = ImportReport { dry_run: is_dry_run, ..ImportReport::default() };
    // Of a dry run it stays open, since later lines build upon earlier ones, and is rolled back.
    let mut open: Option<Write> = None;
    let mut headers = HeaderMap::new();
    while let Some(batch) = batches.recv().await {
        let Batch { lines, faults, .. } = batch?;
        let mut write = match open.take() {
            Some(write) => write,
            None => Write::begin(app, caller).await?,
        };
        let mut part = apply::apply(&mut write, &lines).await?;
        part.lines += faults.len() as u64;
        part.faults.extend(faults);
        report.add(part);
        if is_dry_run {
            open = Some(write);
        } else {
            headers = write.commit().await?;
        }
    }
    if let Some(write) = open {
        write.roll_back().await?;
    }
    reader.await.map_err(Problem::internal)??;
    Ok((headers, report))
}

/// Gives batches, after the whole file was looked at: one that is refused has changed nothing.
fn read(file: &File, format: Format, sender: &mpsc::Sender<Result<Batch>>) -> Result<()> {
    let lines = file::count(format, file)?;
    if lines > MAX_LINES {
        let detail = format!("The file has {lines} lines; at most {MAX_LINES} are taken at once.");
        return Err(Problem::new(&kinds::BODY_TOO_LARGE, detail).with("limit_lines", MAX_LINES));
    }
    batch::read(format.lines(file::rewound(file)?)?, |batch| sender.blocking_send(batch).is_ok());
    Ok(())
}
