//! Counts how often each value of a facet occurs among the documents that match.

use std::collections::HashMap;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::StrColumn;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::request::FacetCount;

/// Values returned of one facet.
const VALUES_MAX: usize = 100;

/// Counts the values of these fast text fields.
pub(crate) struct FacetCounts(pub(crate) Vec<String>);

pub(crate) struct SegmentCounts(Vec<Option<(StrColumn, Vec<u64>)>>);

type Counts = Vec<HashMap<String, u64>>;

impl Collector for FacetCounts {
    type Fruit = Counts;
    type Child = SegmentCounts;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentCounts> {
        let counts = self.0.iter().map(|field| {
            let column = segment.fast_fields().str(field)?;
            Ok(column.map(|column| {
                let values = column.num_terms();
                (column, vec![0; values])
            }))
        });
        Ok(SegmentCounts(counts.collect::<tantivy::Result<_>>()?))
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Counts>) -> tantivy::Result<Counts> {
        let mut total: Counts = vec![HashMap::new(); self.0.len()];
        for segment in segments {
            for (total, counts) in total.iter_mut().zip(segment) {
                for (value, count) in counts {
                    *total.entry(value).or_default() += count;
                }
            }
        }
        Ok(total)
    }
}

impl SegmentCollector for SegmentCounts {
    type Fruit = Counts;

    fn collect(&mut self, document: DocId, _: Score) {
        for (column, counts) in self.0.iter_mut().flatten() {
            for value in column.term_ords(document) {
                counts[value as usize] += 1;
            }
        }
    }

    fn harvest(self) -> Counts {
        let named = |(column, counts): (StrColumn, Vec<u64>)| {
            let mut named = HashMap::new();
            for (value, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let mut text = String::new();
                if column.ord_to_str(value as u64, &mut text).unwrap_or(false) {
                    named.insert(text, count);
                }
            }
            named
        };
        self.0.into_iter().map(|counts| counts.map(named).unwrap_or_default()).collect()
    }
}

/// The most frequent values first.
pub(crate) fn ranked(counts: HashMap<String, u64>) -> Vec<FacetCount> {
    let mut ranked: Vec<FacetCount> = counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
    ranked.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    ranked.truncate(VALUES_MAX);
    ranked
}
