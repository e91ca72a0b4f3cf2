//! The whole index at once, for checks.

use serde_json::Value;
use tantivy::schema::Value as _;
use tantivy::{IndexReader, ReloadPolicy, TantivyDocument};

use super::{CONNECTOR, SearchIndex, failed};
use crate::{Error, Result};

impl SearchIndex {
    /// Every row, as of the last commit, in no order. Blocks, and takes as much memory as the rows.
    pub fn rows(&self) -> Result<Vec<Value>> {
        let reader: IndexReader = self.index().reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(failed)?;
        let mut rows = Vec::new();
        for segment in reader.searcher().segment_readers() {
            let store = segment.get_store_reader(1).map_err(|error| Error::corrupt(CONNECTOR, error))?;
            for document in store.iter::<TantivyDocument>(segment.alive_bitset()) {
                let document = document.map_err(failed)?;
                let row = document.get_first(self.fields().row).and_then(|row| row.as_bytes());
                let row =
                    row.ok_or_else(|| Error::corrupt(CONNECTOR, "a document without its row; reset the store to have it built anew"))?;
                rows.push(
                    serde_json::from_slice(row).map_err(|error| Error::corrupt(CONNECTOR, format!("a stored row is not JSON: {error}")))?,
                );
            }
        }
        Ok(rows)
    }
}
