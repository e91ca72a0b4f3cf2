//! What came of an import.

use serde::Serialize;

/// More are counted, and not listed.
const MAX_FAULTS: usize = 10_000;

/// A line that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Fault {
    /// Of the file, from 1.
    pub line: u64,
    pub sku: Option<String>,
    /// What is wrong with it.
    #[schema(example = "`price_cents`: `2.55` is not a whole number of hundredths")]
    pub message: String,
}

#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct ImportReport {
    /// Nothing was written: this is what would have come of it.
    pub dry_run: bool,
    /// Those that were read, without empty ones and the one that names the columns.
    pub lines: u64,
    /// Products and variants that are new.
    pub created: u64,
    /// Those that were changed.
    pub updated: u64,
    /// Those that were as the file has them.
    pub unchanged: u64,
    /// Lines that were not taken.
    pub failed: u64,
    pub brands_created: u64,
    pub categories_created: u64,
    /// In the order of the file, 10000 at most.
    pub faults: Vec<Fault>,
}

impl ImportReport {
    /// What came of the lines after those so far.
    pub fn add(&mut self, part: Self) {
        self.lines += part.lines;
        self.created += part.created;
        self.updated += part.updated;
        self.unchanged += part.unchanged;
        self.brands_created += part.brands_created;
        self.categories_created += part.categories_created;
        self.add_faults(part.faults);
    }

    pub fn add_faults(&mut self, mut faults: Vec<Fault>) {
        self.failed += faults.len() as u64;
        faults.sort_by_key(|fault| fault.line);
        faults.truncate(MAX_FAULTS - self.faults.len());
        self.faults.append(&mut faults);
    }
}
