//! The pipelines that run: how they are, what they are made of, what another text would change.

pub mod diff;
pub mod get;
pub mod graph;
pub mod list;
pub mod rebuild;

use chimera_pipelines::{Handle, PipelineReport, ViewError};
use serde::Serialize;

use super::problem::{Problem, Result, kinds};
use super::state::App;

/// A pipeline and how it does.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Pipeline {
    #[schema(example = "sales")]
    pub name: String,
    /// Who created it; null: it is part of the binary.
    pub owner: Option<String>,
    /// `running`, `catching_up`, `filling`, `filling_in_shadow` or `failed`.
    #[schema(value_type = String, example = "running")]
    pub state: chimera_pipelines::PipelineState,
    /// The last epoch that it has run.
    pub epoch: u64,
    pub checkpoint_epoch: u64,
    /// Of the oldest of its stores.
    pub age_ms: u64,
    /// Changes given to its stores since the start.
    pub rows: u64,
    /// Of its state on disk.
    pub state_bytes: u64,
    /// From the first row's push into its dataflow to the changes of its stores given out, in microseconds: of its last epoch with rows.
    pub step_us: u64,
    /// Of its groups, different values and first rows in memory; caches of sorted state are not counted.
    pub table_bytes: u64,
    /// Rows that an expression refused.
    pub row_errors: u64,
    pub stores: Vec<String>,
    /// The machines that compute it; none: the server itself.
    pub hosts: Vec<String>,
    /// The epoch of the checkpoint that is in the object store, if one was sent there since the start.
    pub uploaded_epoch: Option<u64>,
    /// Why the last checkpoint is not there.
    pub upload_error: Option<String>,
    /// Why it stands still, if it does.
    pub error: Option<String>,
}

impl From<PipelineReport> for Pipeline {
    fn from(report: PipelineReport) -> Self {
        Self {
            name: report.name,
            owner: report.owner,
            state: report.state,
            epoch: report.epoch,
            checkpoint_epoch: report.checkpoint_epoch,
            age_ms: u64::try_from(report.age_ms).unwrap_or(0),
            rows: report.rows,
            state_bytes: report.state_bytes,
            step_us: report.step_us,
            table_bytes: report.table_bytes,
            row_errors: report.row_errors,
            stores: report.stores,
            hosts: report.hosts,
            uploaded_epoch: report.uploaded_epoch,
            upload_error: report.upload_error,
            error: report.error,
        }
    }
}

impl App {
    /// Asks the engine on a thread that may compute and wait for a disk.
    pub async fn ask_engine<T: Send + 'static>(&self, ask: impl FnOnce(&Handle) -> T + Send + 'static) -> Result<T> {
        let engine = self.engine()?;
        tokio::task::spawn_blocking(move || ask(&engine)).await.map_err(Problem::internal)
    }

    pub fn engine(&self) -> Result<Handle> {
        let missing = || Problem::new(&kinds::STORE_NOT_READY, "This server runs no pipelines.");
        self.engine.clone().ok_or_else(missing)
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        let kind = match &error {
            ViewError::Unknown(_) => &kinds::PIPELINE_NOT_FOUND,
            ViewError::BuiltIn(_) => &kinds::PIPELINE_BUILT_IN,
            ViewError::TooMany => &kinds::TOO_MANY_VIEWS,
            ViewError::Statement(_) => &kinds::INVALID_PIPELINE,
            _ => return Problem::internal(error),
        };
        match error {
            ViewError::Statement(error) => {
                Problem::new(kind, error.message.clone()).with("line", error.line).with("column", error.column).with("help", error.help)
            }
            error => Problem::new(kind, error.to_string()),
        }
    }
}
