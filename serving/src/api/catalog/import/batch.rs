//! Lines that are written together.

use std::collections::HashSet;

use super::file::{Checked, Lines};
use super::line::{Kind, Line};
use super::report::Fault;
use crate::api::problem::Result;

/// Large enough that round trips do not count, small enough that nobody waits long for the rows.
const LINES: usize = 500;

/// Lines that do not depend on the order in which they are written, but that products come before variants: no SKU twice, and no variant
/// before the line of its product.
#[derive(Default)]
pub struct Batch {
    pub lines: Vec<Line>,
    /// Lines among them that were not taken.
    pub faults: Vec<Fault>,
    skus: HashSet<String>,
    parents: HashSet<String>,
}

impl Batch {
    fn takes(&self, line: &Line) -> bool {
        let comes_after_a_variant_of_it = matches!(line.is, Kind::Product(_)) && self.parents.contains(&line.sku);
        self.lines.len() < LINES && !self.skus.contains(&line.sku) && !comes_after_a_variant_of_it
    }

    fn push(&mut self, line: Line) {
        self.skus.insert(line.sku.clone());
        if let Kind::Variant(variant) = &line.is {
            self.parents.insert(variant.parent_sku.clone());
        }
        self.lines.push(line);
    }
}

/// Reads to the end, or until `give` says that nobody wants more.
pub fn read(lines: Lines, mut give: impl FnMut(Result<Batch>) -> bool) {
    let mut batch = Batch::default();
    for read in lines {
        let read: Checked = match read {
            Ok(read) => read,
            Err(problem) => {
                give(Err(problem));
                return;
            }
        };
        let is_full = match &read {
            Ok(line) => !batch.takes(line),
            Err(_) => batch.faults.len() >= LINES,
        };
        if is_full && !give(Ok(std::mem::take(&mut batch))) {
            return;
        }
        match read {
            Ok(line) => batch.push(line),
            Err(fault) => batch.faults.push(fault),
        }
    }
    give(Ok(batch));
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::api::catalog::import::file::Format;

    fn batches(text: &str) -> Vec<(Vec<String>, usize)> {
        let mut batches = Vec::new();
        read(Format::Ndjson.lines(Cursor::new(text.to_owned())).expect("a file"), |batch| {
            let batch = batch.expect("readable");
            batches.push((batch.lines.into_iter().map(|line| line.sku).collect(), batch.faults.len()));
            true
        });
        batches
    }

    #[test]
    fn what_depends_on_the_order_of_the_file_is_not_written_together() {
        let of = |skus: &[&str], faults| (skus.iter().map(|sku| (*sku).to_owned()).collect::<Vec<_>>(), faults);
        let product = |sku: &str| format!("{{\"sku\":\"{sku}\"}}\n");
        let variant = |sku: &str, parent: &str| format!("{{\"sku\":\"{sku}\",\"parent_sku\":\"{parent}\"}}\n");
        let text =
            [product("A"), variant("A-1", "A"), product("B"), "x\n".into(), product("A"), variant("C-1", "C"), product("C")].concat();
        assert_eq!(batches(&text), [of(&["A", "A-1", "B"], 1), of(&["A", "C-1"], 0), of(&["C"], 0)]);
        let many: String = (0..1_201).map(|i| product(&format!("S{i}"))).collect();
        assert_eq!(batches(&many).iter().map(|(skus, _)| skus.len()).collect::<Vec<_>>(), [500, 500, 201]);
    }
}
