//! The open index: searched by serving nodes, written by the sink.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use parking_lot::RwLock;
use serde_json::Value;
use tantivy::collector::{Collector, Count, TopDocs};
use tantivy::query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, Query, RangeQuery, TermQuery, TermSetQuery};
use tantivy::schema::{IndexRecordOption, Term, Value as _};
use tantivy::{DocAddress, DocId, Index, IndexReader, Order, ReloadPolicy, Score, Searcher, SegmentReader, TantivyDocument};

use super::config::TantivyConfig;
use super::directory::LazyDirectory;
use super::facets::{FacetCounts, ranked};
use super::query::{EXACT_BONUS, Leniency, QueryBuilder, Words};
use super::request::{FacetCount, Hit, SearchRequest, SearchResponse, Sort};
use super::schema::{self, Fields, facet_name, fast_name};
use super::vocabulary::Vocabulary;
use super::{CONNECTOR, failed};
use crate::sink::Applied;
use crate::{Error, Result};

/// Searches with fewer hits than this also take corrected words, and documents that lack one.
const ENOUGH_HITS: u64 = 10;
/// A product a hundred times as popular as one that nobody buys gets this much more score.
const POPULARITY_BOOST: f32 = 0.2;

/// A product index. All methods block for up to some milliseconds.
pub struct SearchIndex {
    config: TantivyConfig,
    index: Index,
    directory: LazyDirectory,
    fields: Fields,
    reader: IndexReader,
    /// What the reader shows.
    shown: RwLock<Option<Applied>>,
}

impl SearchIndex {
    pub(super) fn open(folder: &Path, config: TantivyConfig) -> Result<Self> {
        let (index, directory, fields) = schema::open(folder, &config)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(failed)?;
        let opened = Self { config, index, directory, fields, reader, shown: RwLock::new(None) };
        opened.reload()?;
        Ok(opened)
    }

    /// What the last commit was marked with.
    pub(super) fn committed(&self) -> Result<Option<Applied>> {
        let payload = self.index.load_metas().map_err(failed)?.payload;
        payload.filter(|payload| !payload.is_empty()).map(|payload| Applied::decode(CONNECTOR, &payload)).transpose()
    }

    /// Shows the last commit to searches that start from now on.
    pub(super) fn reload(&self) -> Result<()> {
        let mut shown = self.shown.write();
        self.reader.reload().map_err(failed)?;
        *shown = self.committed()?;
        Ok(())
    }

    /// Makes the last commit durable.
    pub(super) fn persist(&self) -> Result<()> {
        let failed = |source| Error::Io { what: "the search index".to_owned(), source };
        self.directory.persist().map_err(failed)
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// How far the index is, as searches see it.
    pub fn applied(&self) -> Option<Applied> {
        *self.shown.read()
    }

    /// Documents in the index.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row with this primary key. Of a key of several columns: the JSON array of their values, as text.
    pub fn get(&self, id: &str) -> Result<Option<Value>> {
        let searcher = self.reader.searcher();
        let query = TermQuery::new(Term::from_field_text(self.fields.key, id), IndexRecordOption::Basic);
        let found = searcher.search(&query, &TopDocs::with_limit(1).order_by_score()).map_err(failed)?;
        found.first().map(|(_, address)| self.document(&searcher, *address)).transpose()
    }

    /// Calls `visit` with every document, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(Value)) -> Result<()> {
        let searcher = self.reader.searcher();
        for (segment, reader) in searcher.segment_readers().iter().enumerate() {
            for document in reader.doc_ids_alive() {
                visit(self.document(&searcher, DocAddress::new(segment as u32, document))?);
            }
        }
        Ok(())
    }

    /// Searches. Errors for a facet column or a sort that the index does not have.
    pub fn search(&self, request: &SearchRequest) -> Result<SearchResponse> {
        let (searcher, applied) = {
            let shown = self.shown.read();
            (self.reader.searcher(), *shown)
        };
        let filters = self.filters(request)?;
        let words = Words::parse(&request.query);
        let (query, total, relaxed) = self.first_that_matches(&searcher, &words, &filters, request.sort)?;
        let mut response = SearchResponse { total, hits: Vec::new(), facets: BTreeMap::new(), relaxed, applied };
        if total > 0 && request.limit > 0 {
            let filtered = with_filters(query.box_clone(), filters.values());
            response.hits = self.page(&searcher, &filtered, request, words.is_empty())?;
        }
        response.facets = self.facets(&searcher, query.as_ref(), &filters, request)?;
        Ok(response)
    }

    /// The strictest query with hits, how many, and whether it is less strict than what was asked for.
    fn first_that_matches(&self, searcher: &Searcher, words: &Words, filters: &Filters, sort: Sort) -> Result<(Box<dyn Query>, u64, bool)> {
        let count = |query: &dyn Query| -> Result<u64> {
            Ok(searcher.search(&with_filters(query.box_clone(), filters.values()), &Count).map_err(failed)? as u64)
        };
        if words.is_empty() {
            let all: Box<dyn Query> = Box::new(AllQuery);
            let total = count(all.as_ref())?;
            return Ok((all, total, false));
        }
        let builder = QueryBuilder { fields: &self.fields, vocabulary: Vocabulary { searcher, words: self.fields.words } };
        let strict = builder.build(words, Leniency::AsTyped).map_err(failed)?;
        let as_typed = count(strict.as_ref())?;
        if as_typed >= ENOUGH_HITS {
            return Ok((strict, as_typed, false));
        }
        // Sorted by anything but the score, documents that lack a word would stand among the others.
        let leniency = if sort == Sort::Relevance { Leniency::AlmostAll } else { Leniency::Corrected };
        let lenient = builder.build(words, leniency).map_err(failed)?;
        let total = count(lenient.as_ref())?;
        if total > 0 {
            return Ok((lenient, total, as_typed == 0));
        }
        let some = builder.build(words, Leniency::Some).map_err(failed)?;
        let total = count(some.as_ref())?;
        if total > 0 {
            return Ok((some, total, true));
        }
        Ok((Box::new(EmptyQuery), 0, true))
    }

    /// A query a filter, by the facet column or by a name of its own.
    fn filters(&self, request: &SearchRequest) -> Result<Filters> {
        let mut filters = Filters::new();
        for (name, values) in request.filters.iter().filter(|(_, values)| !values.is_empty()) {
            let position = self.facet(name)?;
            let terms = values.iter().map(|value| Term::from_field_text(self.fields.facets[position], value));
            filters.insert(name.clone(), Box::new(TermSetQuery::new(terms)));
        }
        if request.min_price.is_some() || request.max_price.is_some() {
            let bound = |bound: Option<i64>| bound.map_or(Bound::Unbounded, Bound::Included);
            filters
                .insert("\0price".to_owned(), self.range(&self.config.price, "price", bound(request.min_price), bound(request.max_price))?);
        }
        if request.in_stock {
            filters.insert("\0stock".to_owned(), self.range(&self.config.stock, "stock", Bound::Excluded(0), Bound::Unbounded)?);
        }
        Ok(filters)
    }

    fn facet(&self, name: &str) -> Result<usize> {
        self.config.facets.iter().position(|column| column.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.config.facets.iter().map(|column| column.name.as_str()).collect();
            Error::config(CONNECTOR, format!("index {} has no facet '{name}'; it has {}", self.config.index, names.join(", ")))
        })
    }

    /// Position of the column that plays a role.
    fn role(&self, column: &Option<String>, role: &str) -> Result<usize> {
        let position = column.as_ref().and_then(|name| self.config.fast.iter().position(|field| field.column.name == *name));
        position.ok_or_else(|| Error::config(CONNECTOR, format!("index {} has no {role} column among 'fields.fast'", self.config.index)))
    }

    fn range(&self, column: &Option<String>, role: &str, from: Bound<i64>, to: Bound<i64>) -> Result<Box<dyn Query>> {
        let position = self.role(column, role)?;
        let field = self.fields.fast[position];
        let integer = self.config.fast[position].integer;
        let term = |value: i64| if integer { Term::from_field_i64(field, value) } else { Term::from_field_f64(field, value as f64) };
        Ok(Box::new(RangeQuery::new(from.map(term), to.map(term))))
    }

    /// One page of hits, in order.
    fn page(&self, searcher: &Searcher, query: &dyn Query, request: &SearchRequest, all: bool) -> Result<Vec<Hit>> {
        let limit = request.limit.min(SearchRequest::LIMIT_MAX);
        let top = TopDocs::with_limit(limit).and_offset(request.offset.min(SearchRequest::OFFSET_MAX));
        let popularity = self.role(&self.config.popularity, "popularity");
        let (role, order) = match request.sort {
            Sort::Relevance if all && popularity.is_ok() => (popularity, Order::Desc),
            Sort::Relevance => {
                let found = match popularity {
                    Ok(position) => searcher.search(query, &self.by_score_and_popularity(top, position)),
                    Err(_) => searcher.search(query, &top.order_by_score()),
                };
                let hits = found.map_err(failed)?.into_iter();
                return hits.map(|(score, address)| Ok(Hit { score, document: self.document(searcher, address)? })).collect();
            }
            Sort::Popularity => (popularity, Order::Desc),
            Sort::PriceAsc => (self.role(&self.config.price, "price"), Order::Asc),
            Sort::PriceDesc => (self.role(&self.config.price, "price"), Order::Desc),
        };
        let field = &self.config.fast[role?];
        let name = fast_name(&field.column.name);
        let addresses: Vec<DocAddress> = if field.integer {
            let found = searcher.search(query, &top.order_by_fast_field::<i64>(name, order)).map_err(failed)?;
            found.into_iter().map(|(_, address)| address).collect()
        } else {
            let found = searcher.search(query, &top.order_by_fast_field::<f64>(name, order)).map_err(failed)?;
            found.into_iter().map(|(_, address)| address).collect()
        };
        addresses.into_iter().map(|address| Ok(Hit { score: 0.0, document: self.document(searcher, address)? })).collect()
    }

    fn by_score_and_popularity(&self, top: TopDocs, position: usize) -> impl Collector<Fruit = Vec<(Score, DocAddress)>> + use<> {
        let name = fast_name(&self.config.fast[position].column.name);
        let integer = self.config.fast[position].integer;
        top.tweak_score(move |segment: &SegmentReader| {
            let whole = integer.then(|| segment.fast_fields().i64(&name).ok()).flatten();
            let broken = (!integer).then(|| segment.fast_fields().f64(&name).ok()).flatten();
            move |document: DocId, score: Score| {
                let whole = whole.as_ref().and_then(|column| column.first(document)).map(|value| value as f32);
                let broken = broken.as_ref().and_then(|column| column.first(document)).map(|value| value as f32);
                let popularity = whole.or(broken).unwrap_or(0.0).max(0.0);
                // Within its tier only: a popular product with a corrected word stays below any with the word as typed.
                let tier = (score / EXACT_BONUS).floor() * EXACT_BONUS;
                tier + (score - tier) * (1.0 + POPULARITY_BOOST * (1.0 + popularity).log10() / 2.0)
            }
        })
    }

    fn facets(
        &self,
        searcher: &Searcher,
        query: &dyn Query,
        filters: &Filters,
        request: &SearchRequest,
    ) -> Result<BTreeMap<String, Vec<FacetCount>>> {
        let mut together: Vec<&String> = Vec::new();
        let mut facets = BTreeMap::new();
        for name in &request.facets {
            self.facet(name)?;
            if request.facets_ignore_own_filter && filters.contains_key(name) {
                let others = filters.iter().filter(|(other, _)| *other != name).map(|(_, filter)| filter);
                let counts =
                    searcher.search(&with_filters(query.box_clone(), others), &FacetCounts(vec![facet_name(name)])).map_err(failed)?;
                facets.insert(name.clone(), counts.into_iter().next().map(ranked).unwrap_or_default());
            } else {
                together.push(name);
            }
        }
        if !together.is_empty() {
            let collector = FacetCounts(together.iter().map(|name| facet_name(name)).collect());
            let counts = searcher.search(&with_filters(query.box_clone(), filters.values()), &collector).map_err(failed)?;
            facets.extend(together.into_iter().cloned().zip(counts.into_iter().map(ranked)));
        }
        Ok(facets)
    }

    fn document(&self, searcher: &Searcher, address: DocAddress) -> Result<Value> {
        let document: TantivyDocument = searcher.doc(address).map_err(failed)?;
        let row = document.get_first(self.fields.row).and_then(|row| row.as_bytes());
        let row = row.ok_or_else(|| Error::corrupt(CONNECTOR, "a document without its row; reset the store to have it built anew"))?;
        serde_json::from_slice(row).map_err(|error| Error::corrupt(CONNECTOR, format!("a stored row is not JSON: {error}")))
    }
}

type Filters = BTreeMap<String, Box<dyn Query>>;

/// The query, narrowed; its scores stay what they are.
fn with_filters<'a>(query: Box<dyn Query>, filters: impl Iterator<Item = &'a Box<dyn Query>>) -> BooleanQuery {
    let mut clauses = vec![(Occur::Must, query)];
    for filter in filters {
        let silent = BoostQuery::new(Box::new(ConstScoreQuery::new(filter.box_clone(), 1.0)), 0.0);
        clauses.push((Occur::Must, Box::new(silent)));
    }
    BooleanQuery::new(clauses)
}
