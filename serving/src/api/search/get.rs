//! `GET /api/v1/search`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use chimera_connectors::sink::tantivy::{FacetCount, SearchRequest, Sort};
use serde::{Deserialize, Serialize};

use super::PRODUCTS;
use crate::api::extract::Params;
use crate::api::freshness::{After, AfterQuery, Freshness, Meta};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::products::Product;
use crate::api::state::App;

const MAX_QUERY_CHARS: usize = 200;
/// Of the catalog.
const MAX_PRICE: u32 = i32::MAX as u32;

#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// What the shopper typed so far: typing errors are forgiven, the last word may be unfinished. Empty: everything.
    #[param(max_length = 200, example = "heart lig")]
    pub q: Option<String>,
    /// Only this brand.
    pub brand: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// In hundredths of the currency, included.
    #[param(minimum = 0, maximum = 2147483647)]
    pub min_price: Option<u32>,
    /// In hundredths of the currency, included.
    #[param(minimum = 0, maximum = 2147483647)]
    pub max_price: Option<u32>,
    /// `true`: only what can be had now.
    pub in_stock: Option<bool>,
    /// `relevance` if not given; without words to search for that is popularity.
    #[param(inline)]
    pub sort: Option<SortBy>,
    /// How many hits, 1 to 100; 20 if not given.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// How many hits to pass over, at most 10000.
    #[param(maximum = 10000)]
    pub offset: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    Relevance,
    PriceAsc,
    PriceDesc,
    Popularity,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct SearchResults {
    /// Hits in all.
    pub total: u64,
    pub hits: Vec<SearchHit>,
    pub facets: Facets,
    /// Nothing has all the words as typed: corrected ones, or some of the words, had to do.
    pub relaxed: bool,
    pub meta: Meta,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct SearchHit {
    #[serde(flatten)]
    pub product: Product,
    /// Higher is better, within one answer.
    pub score: f32,
}

/// How many of the hits have which brand and category, as if that one had not been chosen; the most frequent first.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub struct Facets {
    pub brand: Vec<Facet>,
    pub category: Vec<Facet>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Facet {
    pub value: String,
    pub count: u64,
}

impl SearchQuery {
    fn check(self) -> Result<SearchRequest> {
        let limit = limit(self.limit, 20, 100)?;
        let wrong = |what: String| Err(Problem::new(&kinds::BAD_PARAMETER, format!("The query: {what}.")));
        let query = self.q.unwrap_or_default();
        if query.chars().count() > MAX_QUERY_CHARS {
            return wrong(format!("`q` has more than {MAX_QUERY_CHARS} characters"));
        }
        let offset = self.offset.unwrap_or(0) as usize;
        if offset > SearchRequest::OFFSET_MAX {
            return wrong(format!("`offset` is {offset}; it goes to {}. Narrow the search down instead", SearchRequest::OFFSET_MAX));
        }
        for (name, price) in [("min_price", self.min_price), ("max_price", self.max_price)] {
            if let Some(price) = price.filter(|price| *price > MAX_PRICE) {
                return wrong(format!("`{name}` is {price}; it goes to {MAX_PRICE}"));
            }
        }
        if let (Some(min), Some(max)) = (self.min_price, self.max_price)
            && min > max
        {
            return wrong(format!("`min_price` ({min}) is over `max_price` ({max})"));
        }
        let filter = |value: Option<String>| value.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>();
        Ok(SearchRequest {
            query,
            filters: BTreeMap::from([("brand".to_owned(), filter(self.brand)), ("category".to_owned(), filter(self.category))]),
            min_price: self.min_price.map(i64::from),
            max_price: self.max_price.map(i64::from),
            in_stock: self.in_stock.unwrap_or(false),
            sort: match self.sort {
                None | Some(SortBy::Relevance) => Sort::Relevance,
                Some(SortBy::PriceAsc) => Sort::PriceAsc,
                Some(SortBy::PriceDesc) => Sort::PriceDesc,
                Some(SortBy::Popularity) => Sort::Popularity,
            },
            limit,
            offset,
            facets: vec!["brand".to_owned(), "category".to_owned()],
            facets_ignore_own_filter: true,
        })
    }
}

/// Searches products as the shopper types.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery, AfterQuery),
    responses((status = 200, body = SearchResults), (status = 400, body = ProblemBody), (status = 503, body = ProblemBody), (status = 504,
        body = ProblemBody)))]
pub async fn search(State(app): State<App>, params: Params<SearchQuery>) -> Result<Response> {
    let (results, freshness) = find(&app, params.query, &params.after).await?;
    Ok(freshness.respond(&results))
}

/// The hits, and how old they are.
pub async fn find(app: &App, query: SearchQuery, after: &After) -> Result<(SearchResults, Freshness)> {
    let request = query.check()?;
    let mut freshness = app.fresh(&[PRODUCTS], after).await?;
    let found = app.search_products(request).await?;
    if let Some(applied) = found.applied {
        freshness.meta.epoch = applied.epoch;
    }
    let hits = found
        .hits
        .into_iter()
        .map(|hit| Ok(SearchHit { score: hit.score, product: Product::from_value(hit.document)? }))
        .collect::<Result<_>>()?;
    let mut facets = found.facets;
    let mut facet = |column: &str| facets.remove(column).unwrap_or_default().into_iter().map(Facet::from).collect();
    let facets = Facets { brand: facet("brand"), category: facet("category") };
    Ok((SearchResults { total: found.total, hits, facets, relaxed: found.relaxed, meta: freshness.meta.clone() }, freshness))
}

impl From<FacetCount> for Facet {
    fn from(count: FacetCount) -> Self {
        Self { value: count.value, count: count.count }
    }
}
