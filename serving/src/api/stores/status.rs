//! The state of a store, as operators see it.

use chimera_connectors::Frontier;
use serde::Serialize;

/// How far a store is.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct StoreStatus {
    /// `pipeline.table`.
    #[schema(example = "inventory.stock")]
    pub store: String,
    pub pipeline: String,
    #[schema(example = "redis")]
    pub connector: String,
    /// The sources that it depends on.
    pub sources: Vec<String>,
    /// The last epoch applied.
    pub epoch: u64,
    /// The position that it has reached in each source.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    pub frontier: Frontier,
    /// Commit time of the newest change in it, milliseconds since 1970; 0 if it holds none.
    pub committed_ms: i64,
    /// When that epoch could be read, milliseconds since 1970.
    pub applied_ms: i64,
    /// From that commit until it could be read.
    pub delay_ms: u64,
    /// The same for the oldest change of each epoch, over the last minute: the median and the 99th of a hundred.
    pub delay_p50_ms: u64,
    pub delay_p99_ms: u64,
    /// It includes everything committed until so many milliseconds ago.
    pub age_ms: u64,
    /// Changes applied since the start.
    pub rows: u64,
    pub rows_per_s: f64,
    /// Why it stands still, if it does.
    pub error: Option<String>,
}
