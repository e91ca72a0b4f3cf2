//! `GET /api/v1/feed`: what goes with what the session looked at last, then what is trending, then what is popular.

use std::collections::{HashMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use chimera_connectors::sink::tantivy::{SearchRequest, Sort};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::extract::Params;
use crate::api::extract::text_error;
use crate::api::freshness::{AfterQuery, Meta};
use crate::api::limit::limit;
use crate::api::problem::{Problem, ProblemBody, Result, kinds};
use crate::api::products::related::{BY_PURCHASE, BY_VIEW, RelatedReason};
use crate::api::products::{DOCUMENTS, Product, SKU_IDS};
use crate::api::search::PRODUCTS;
use crate::api::state::App;

pub const TRENDING: &str = "trending.trending";
/// The category in `trending` that stands for all of them.
const ALL: &str = "All";
const RANKS: u32 = 10;
/// What was trending before that is not shown.
const HOURS_BACK: i64 = 24;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// The session in whose name events were sent; without one the feed is everyone's.
    #[param(max_length = 64)]
    session_id: Option<String>,
    /// How many items, 1 to 50; 20 if not given.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct FeedResponse {
    pub items: Vec<FeedItem>,
    pub meta: Meta,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct FeedItem {
    #[serde(flatten)]
    pub product: Product,
    pub reason: FeedReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedReason {
    BecauseYouViewed,
    Trending,
    Popular,
}

/// Products for a shopper.
#[utoipa::path(get, path = "/api/v1/feed", tag = "recommendations", params(FeedQuery, AfterQuery),
    responses((status = 200, body = FeedResponse), (status = 400, body = ProblemBody), (status = 503, body = ProblemBody), (status = 504,
        body = ProblemBody)))]
pub async fn get_feed(State(app): State<App>, params: Params<FeedQuery>) -> Result<Response> {
    let limit = limit(params.query.limit, 20, 50)?;
    let session = params.query.session_id.filter(|session| !session.is_empty());
    if let Some(error) = session.as_deref().and_then(|session| text_error(session, 64)) {
        return Err(Problem::new(&kinds::BAD_PARAMETER, format!("The query: `session_id`: {error}.")));
    }
    let freshness = app.fresh(&[BY_VIEW, BY_PURCHASE, TRENDING, PRODUCTS, DOCUMENTS, SKU_IDS], &params.after).await?;
    let seen = session.map(|session| app.sessions.last(&session)).unwrap_or_default();
    let mut feed = Feed { limit, items: Vec::new(), shown: seen.iter().map(|sku| sku.to_string()).collect() };
    let because = app.because(&seen).await?;
    feed.add(&app, because, FeedReason::BecauseYouViewed).await?;
    if !feed.is_full() {
        let trending = app.trending().await?;
        feed.add(&app, trending, FeedReason::Trending).await?;
    }
    if !feed.is_full() {
        feed.fill(app.popular(limit + feed.shown.len()).await?, FeedReason::Popular);
    }
    Ok(freshness.respond(&FeedResponse { items: feed.items, meta: freshness.meta.clone() }))
}

/// The feed as it grows: nothing twice, and nothing that was just looked at.
struct Feed {
    limit: usize,
    items: Vec<FeedItem>,
    /// SKUs that are not to be shown (again).
    shown: HashSet<String>,
}

impl Feed {
    fn is_full(&self) -> bool {
        self.items.len() >= self.limit
    }

    async fn add(&mut self, app: &App, mut skus: Vec<String>, reason: FeedReason) -> Result<()> {
        skus.retain(|sku| !self.shown.contains(sku));
        skus.truncate(2 * self.limit);
        let products = app.products_by_sku(&skus).await?;
        self.fill(products.into_iter().flatten().collect(), reason);
        Ok(())
    }

    fn fill(&mut self, products: Vec<Product>, reason: FeedReason) {
        for product in products {
            if !self.is_full() && self.shown.insert(product.sku.clone()) {
                self.items.push(FeedItem { product, reason });
            }
        }
    }
}

impl App {
    /// Neighbours of these SKUs, the best first: each neighbour's share in all neighbours of its SKU, less for SKUs looked at longer
    /// ago, summed.
    async fn because(&self, seen: &[Box<str>]) -> Result<Vec<String>> {
        let mut votes: HashMap<String, f64> = HashMap::new();
        for (age, sku) in seen.iter().enumerate() {
            for reason in [RelatedReason::ViewedTogether, RelatedReason::BoughtTogether] {
                let neighbours = self.neighbours(sku, reason).await?;
                let all: f64 = neighbours.iter().map(|(_, score, _)| score).sum();
                for (other, score, _) in neighbours {
                    *votes.entry(other).or_default() += score / all.max(f64::MIN_POSITIVE) / (age + 1) as f64;
                }
            }
        }
        let mut votes: Vec<(String, f64)> = votes.into_iter().collect();
        votes.sort_by(|(a_sku, a), (b_sku, b)| b.total_cmp(a).then_with(|| a_sku.cmp(b_sku)));
        Ok(votes.into_iter().map(|(sku, _)| sku).collect())
    }

    /// What was looked at most in the newest hour that anything was looked at.
    async fn trending(&self) -> Result<Vec<String>> {
        let now = Utc::now();
        self.read_views(move |views| newest_hour(now, |hour, rank| views.get(TRENDING, &[ALL, hour, rank]))).await
    }

    async fn popular(&self, limit: usize) -> Result<Vec<Product>> {
        let found = self.search_products(SearchRequest { sort: Sort::Popularity, limit, ..SearchRequest::default() }).await?;
        found.hits.into_iter().map(|hit| Product::from_value(hit.document)).collect()
    }
}

/// The SKUs of the newest hour up to `now`, by rank; `row` reads the row of an hour and a rank.
fn newest_hour<E>(now: DateTime<Utc>, mut row: impl FnMut(&str, &str) -> Result<Option<Value>, E>) -> Result<Vec<String>, E> {
    let hours = (0..HOURS_BACK).map(|back| (now - TimeDelta::hours(back)).format("%Y-%m-%dT%H:00:00").to_string());
    for hour in hours {
        let mut skus = Vec::new();
        for rank in 1..=RANKS {
            let Some(row) = row(&hour, &rank.to_string())? else { break };
            skus.extend(row["sku"].as_str().map(str::to_owned));
        }
        if !skus.is_empty() {
            return Ok(skus);
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    #[test]
    fn trending_is_the_newest_hour_by_rank() {
        let now = DateTime::from_timestamp(1_323_428_400 + 1800, 0).expect("2011-12-09T11:30:00Z");
        let rows = [("2011-12-09T09:00:00", "1", "old"), ("2011-12-09T10:00:00", "1", "first"), ("2011-12-09T10:00:00", "2", "second")];
        let find = |hour: &str, rank: &str| rows.iter().find(|row| row.0 == hour && row.1 == rank).map(|row| json!({"sku": row.2}));
        assert_eq!(newest_hour(now, |hour, rank| Ok::<_, Infallible>(find(hour, rank))), Ok(vec!["first".to_owned(), "second".to_owned()]));
        assert_eq!(newest_hour(now + TimeDelta::hours(HOURS_BACK), |hour, rank| Ok::<_, Infallible>(find(hour, rank))), Ok(vec![]));
    }
}
