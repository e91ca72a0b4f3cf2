//! How the memory for pipelines is divided between them.

use chimera_sql::{Budget, Memory};

/// Caches are given out as if there were at least so many pipelines, for views that are yet to be created.
const PIPELINES: usize = 16;
const LEAST_CACHE_BYTES: usize = 1 << 20;

/// The memory of each of `pipelines` pipelines: groups and their like share half of all, wherever they are needed; a quarter goes to
/// caches of sorted state, evenly; the rest is for sorted state that is too new to be on disk.
pub(crate) fn of_each(all_bytes: usize, pipelines: usize) -> Memory {
    let cache_bytes = (all_bytes / 4 / pipelines.max(PIPELINES)).max(LEAST_CACHE_BYTES);
    Memory { cache_bytes, tables: Budget::new(all_bytes / 2), ..Memory::default() }
}
