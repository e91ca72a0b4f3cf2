//! The whole index at once, for checks.

use serde_json::Value;

use super::{CONNECTOR, VectorIndex};
use crate::{Error, Result};

impl VectorIndex {
    /// Every row without its vector, as of one moment, in the order of insertion. Blocks, and takes as much memory as the rows.
    pub fn payloads(&self) -> Result<Vec<Value>> {
        let snapshot = self.rows().snapshot();
        let mut payloads = Vec::new();
        for entry in self.rows().vectors(&snapshot) {
            let (number, _) = entry?;
            let Some(payload) = self.rows().payload(&snapshot, number)? else { continue };
            payloads.push(
                serde_json::from_slice(&payload)
                    .map_err(|error| Error::corrupt(CONNECTOR, format!("a stored payload is not JSON: {error}")))?,
            );
        }
        Ok(payloads)
    }
}
