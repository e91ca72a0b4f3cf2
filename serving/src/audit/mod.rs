//! The audit trail's seals: a chain of hashes over every change that the pipeline `audit` wrote down, kept in the log.
//!
//! The trail is a table, and whoever may write to a table may change it. So each run of new changes is sealed: its digest, and the hash of
//! the seal before it, make the seal's own hash, and the seal is appended to the log, which no statement of SQL reaches. [`check()`] computes
//! all of it again. Who can write both the table and the log's files can forge both; the number and hash of a seal that was noted
//! elsewhere give that away too.

mod change;
mod check;
mod seal;
mod sealer;

use std::sync::OnceLock;

pub use change::Change;
pub use check::{Fault, Head, Outcome, check};
pub use seal::Seal;
pub use sealer::Sealer;

use crate::shop::shards::Shards;

/// The topic of the seals.
pub const TOPIC: &str = "audit.seals";

/// The topics whose changes are in the trail: those that its pipeline reads, of every database that orders are in.
pub fn topics(shards: &Shards) -> Vec<String> {
    let of = |topic: &String| match topic.strip_prefix("orders.") {
        Some(table) => shards.all().iter().map(|shard| format!("{}.{table}", shard.source)).collect(),
        None => vec![topic.clone()],
    };
    read().iter().flat_map(of).collect()
}

fn read() -> &'static [String] {
    static TOPICS: OnceLock<Vec<String>> = OnceLock::new();
    TOPICS.get_or_init(|| {
        let pipelines = chimera_pipelines::bundled();
        let audit = pipelines.into_iter().find(|pipeline| pipeline.name == "audit").expect("the pipeline `audit` is bundled");
        let program = chimera_sql::Program::parse(&audit.sql, &chimera_pipelines::functions(None)).expect("bundled pipelines are tested");
        program.sources.into_iter().filter_map(|mut source| source.options.remove("topic")).collect()
    })
}
