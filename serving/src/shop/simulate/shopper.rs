//! One visit: look around, search, look at products, and order.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Progress;
use super::client::{Client, Error, Ordered, Product};
use super::measures::Measures;
use super::typos::mistype;

const COUNTRIES: [&str; 8] = ["United Kingdom", "United Kingdom", "United Kingdom", "Germany", "France", "EIRE", "Spain", "Netherlands"];
/// Of all visits: those with a mistyped search, with a search by picture, with a look at the feed, and whose order's arrival is waited for.
const TYPOS: f64 = 0.15;
const PICTURES: f64 = 0.05;
const FEEDS: f64 = 0.3;
const WATCHED: f64 = 0.1;

pub struct Shopper {
    random: StdRng,
    session: String,
    shelf: Arc<Vec<Product>>,
    client: Client,
    measures: Arc<Measures>,
    progress: Arc<Progress>,
    events: Vec<Value>,
}

impl Shopper {
    pub fn new(seed: u64, shelf: Arc<Vec<Product>>, client: Client, measures: Arc<Measures>, progress: Arc<Progress>) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { random, session: format!("simulated-{}", Uuid::new_v4().simple()), shelf, client, measures, progress, events: Vec::new() }
    }

    /// The whole visit. What fails is counted, and the visit goes on as far as it can.
    pub async fn shop(mut self) {
        let client = self.client.clone();
        if self.random.random_bool(FEEDS) {
            let session = self.session.clone();
            self.measured("feed", client.feed(&session)).await;
        }
        let mut basket = Vec::new();
        for _ in 0..self.random.random_range(1..=2) {
            let found = self.search().await;
            let looks = self.random.random_range(1..=2);
            for product in found.into_iter().take(looks) {
                self.look_at(&product).await;
                basket.push(product);
            }
        }
        if self.random.random_bool(PICTURES) {
            self.search_by_picture(&basket).await;
        }
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            self.measured("events", client.events(&events)).await;
        }
        self.order(basket).await;
    }

    async fn search(&mut self) -> Vec<Product> {
        let query = self.query();
        if !query.is_empty() {
            self.event("search", None, Some(&query));
        }
        let client = self.client.clone();
        let found = self.measured("search", client.search(&query, 12, 0)).await.unwrap_or_default();
        if found.is_empty() {
            // Nothing found: they take what they meant from the shelf.
            return self.shelf.choose(&mut self.random).cloned().into_iter().collect();
        }
        found
    }

    /// One or two words of something on the shelf, sometimes mistyped.
    fn query(&mut self) -> String {
        let name = self.shelf.choose(&mut self.random).map(|product| product.name.to_lowercase()).unwrap_or_default();
        let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).collect();
        let count = self.random.random_range(1..=2);
        let mut words: Vec<String> = words.choose_multiple(&mut self.random, count).map(|word| (*word).to_owned()).collect();
        if self.random.random_bool(TYPOS)
            && let Some(word) = words.first_mut()
        {
            *word = mistype(word, &mut self.random);
        }
        words.join(" ")
    }

    async fn look_at(&mut self, product: &Product) {
        self.event("click", Some(&product.sku), None);
        let client = self.client.clone();
        self.measured("product", client.product(&product.id)).await;
        self.event("view", Some(&product.sku), None);
        let related = self.measured("related", client.related(&product.id)).await.unwrap_or_default();
        if let Some(other) = related.choose(&mut self.random).cloned()
            && self.random.random_bool(0.3)
        {
            self.measured("product", client.product(&other.id)).await;
            self.event("view", Some(&other.sku), None);
        }
    }

    async fn search_by_picture(&mut self, basket: &[Product]) {
        let Some(path) = basket.iter().find_map(|product| product.image_url.clone()) else { return };
        let client = self.client.clone();
        if let Some(picture) = self.measured("picture", client.picture(&path)).await {
            self.measured("visual search", client.visual_search(picture)).await;
        }
    }

    async fn order(&mut self, basket: Vec<Product>) {
        let mut items: Vec<Value> = Vec::new();
        for product in &basket {
            if items.iter().all(|item| item["sku"] != product.sku.as_str()) {
                items.push(json!({ "sku": product.sku, "quantity": self.random.random_range(1..=3) }));
            }
        }
        let Some(sku) = basket.first().map(|product| product.sku.clone()) else { return };
        let customer = self.random.random_bool(0.75).then(|| format!("C{:05}", self.random.random_range(0..20_000)));
        let country = COUNTRIES.choose(&mut self.random).copied().unwrap_or("United Kingdom");
        let body = json!({ "customer_id": customer, "country": country, "items": items });
        let key = Uuid::new_v4().to_string();
        let client = self.client.clone();
        match self.measured("order", client.order(&key, &body)).await {
            Some(Ordered::Placed(position)) => {
                self.measures.ordered(true);
                self.progress.orders.fetch_add(1, Ordering::Relaxed);
                if self.random.random_bool(WATCHED) {
                    self.measured("order to stock level", client.stock_after(&sku, &position)).await;
                }
            }
            Some(Ordered::SoldOut) => self.measures.ordered(false),
            None => {}
        }
    }

    fn event(&mut self, kind: &str, sku: Option<&str>, query: Option<&str>) {
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        self.events.push(json!({
            "event_id": Uuid::new_v4(), "type": kind, "session_id": self.session, "sku": sku, "query": query, "occurred_at": now
        }));
    }

    async fn measured<T>(&self, kind: &'static str, request: impl Future<Output = Result<T, Error>>) -> Option<T> {
        let started = Instant::now();
        let result = request.await;
        self.measures.record(kind, started.elapsed(), result.as_ref().err());
        self.progress.requests.fetch_add(1, Ordering::Relaxed);
        if result.is_err() {
            self.progress.errors.fetch_add(1, Ordering::Relaxed);
        }
        result.ok()
    }
}
