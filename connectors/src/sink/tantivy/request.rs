//! What is asked of a search index, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sink::Applied;

/// How hits are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By score; without words to search for, by popularity.
    #[default]
    Relevance,
    PriceAsc,
    PriceDesc,
    Popularity,
}

/// A search.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// What the shopper typed. Empty: everything. The last word counts as unfinished unless a space follows it.
    pub query: String,
    /// Facet column → wanted values, of which a hit has one. An empty list does not filter.
    pub filters: BTreeMap<String, Vec<String>>,
    /// Bounds on the price column, both included.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    /// Only what is available.
    pub in_stock: bool,
    pub sort: Sort,
    /// At most [`SearchRequest::LIMIT_MAX`] are returned.
    pub limit: usize,
    /// At most [`SearchRequest::OFFSET_MAX`] are passed over.
    pub offset: usize,
    /// Facet columns to count.
    pub facets: Vec<String>,
    /// Count each facet as if it were not filtered by itself, as pages that offer several values at once want it.
    pub facets_ignore_own_filter: bool,
}

impl SearchRequest {
    pub const LIMIT_MAX: usize = 200;
    pub const OFFSET_MAX: usize = 10_000;
}

/// How often a value of a facet occurs among all hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacetCount {
    pub value: String,
    pub count: u64,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Higher is better; comparable within one response only. 0 when sorted by something else.
    pub score: f32,
    /// The row.
    pub document: Value,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct SearchResponse {
    /// Hits in all, of which `hits` is one page.
    pub total: u64,
    pub hits: Vec<Hit>,
    /// By facet column; most frequent values first, at most 100.
    pub facets: BTreeMap<String, Vec<FacetCount>>,
    /// No document has all the words as typed: corrected ones, or some of the words, had to do.
    pub relaxed: bool,
    /// The epoch that the answer shows.
    pub applied: Option<Applied>,
}
