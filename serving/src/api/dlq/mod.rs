//! Dead letters: records that no pipeline could take.

pub mod list;
pub mod replay;
