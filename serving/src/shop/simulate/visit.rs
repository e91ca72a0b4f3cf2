//! Looking around: the feed, searches, products, what goes with them.

use chimera_client::types::{
    GetFeedQuery, GetProductQuery, Kind, NewEvent, NewEvents, Product, RelatedProductsQuery, SearchQuery, VisualSearchQuery,
};
use rand::Rng;
use rand::seq::IndexedRandom;
use uuid::Uuid;

use super::checks;
use super::shopper::{Journey, Shopper};
use super::typos::mistype;

/// Of all visits: those with a mistyped search, with a search by picture, and with a look at the feed.
const TYPOS: f64 = 0.15;
const PICTURES: f64 = 0.05;
const FEEDS: f64 = 0.3;
const HITS: i64 = 12;

impl Shopper {
    /// What the shopper took a liking to, each once.
    pub async fn look_around(&mut self) -> Journey<Vec<Product>> {
        if self.random.random_bool(FEEDS) {
            let query = GetFeedQuery { session_id: Some(self.session.clone()), limit: Some(HITS), ..Default::default() };
            let feed = self.ask("feed", self.client.get_feed(&query)).await?;
            feed.items.iter().try_for_each(|item| self.check("feed", checks::product(&item.product)))?;
        }
        let mut basket: Vec<Product> = Vec::new();
        for _ in 0..self.random.random_range(1..=2) {
            let found = self.search().await?;
            let looks = self.random.random_range(1..=2);
            for product in found.into_iter().take(looks) {
                let product = self.look_at(&product).await?;
                if basket.iter().all(|other| other.sku != product.sku && other.currency == product.currency) {
                    basket.push(product);
                }
            }
        }
        if self.random.random_bool(PICTURES) {
            self.search_by_picture(&basket).await?;
        }
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            self.ask("events", self.client.create_events(&NewEvents { events })).await?;
        }
        Ok(basket)
    }

    async fn search(&mut self) -> Journey<Vec<Product>> {
        let words = self.words();
        if !words.is_empty() {
            self.event(Kind::Search, None, Some(&words));
        }
        let query = SearchQuery { q: Some(words), limit: Some(HITS), ..Default::default() };
        let found = self.ask("search", self.client.search(&query)).await?.into_body();
        self.check(
            "search",
            if found.hits.len() as i64 <= HITS.min(found.total) {
                Ok(())
            } else {
                Err(format!("{} hits of {} were given for {HITS}", found.hits.len(), found.total))
            },
        )?;
        found.hits.iter().try_for_each(|hit| self.check("search", checks::product(&hit.product)))?;
        if found.hits.is_empty() {
            // Nothing found: they take what they meant from the shelf.
            return Ok(self.shop.shelf.choose(&mut self.random).cloned().into_iter().collect());
        }
        Ok(found.hits.into_iter().map(|hit| hit.product).collect())
    }

    /// One or two words of something on the shelf, sometimes mistyped.
    fn words(&mut self) -> String {
        let name = self.shop.shelf.choose(&mut self.random).map(|product| product.name.to_lowercase()).unwrap_or_default();
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

    async fn look_at(&mut self, seen: &Product) -> Journey<Product> {
        self.event(Kind::Click, Some(&seen.sku), None);
        let product = self.ask("product", self.client.get_product(seen.id, &GetProductQuery::default())).await?.into_body().product;
        self.check("product", checks::product(&product))?;
        let is_it = product.id == seen.id && product.sku == seen.sku;
        self.check("product", if is_it { Ok(()) } else { Err(format!("asked for {}, got {}", seen.sku, product.sku)) })?;
        self.event(Kind::View, Some(&product.sku), None);
        let related = self.ask("related", self.client.related_products(product.id, &RelatedProductsQuery::default())).await?.into_body();
        let itself = related.items.iter().any(|item| item.product.id == product.id);
        self.check("related", if itself { Err(format!("{} goes with itself", product.sku)) } else { Ok(()) })?;
        if let Some(other) = related.items.choose(&mut self.random).map(|item| item.product.clone())
            && self.random.random_bool(0.3)
        {
            self.ask("product", self.client.get_product(other.id, &GetProductQuery::default())).await?;
            self.event(Kind::View, Some(&other.sku), None);
        }
        Ok(product)
    }

    async fn search_by_picture(&mut self, basket: &[Product]) -> Journey<()> {
        let address = basket.iter().find_map(|product| product.image_url.as_deref());
        let Some(id) = address.and_then(|url| url.rsplit('/').next()).and_then(|id| Uuid::parse_str(id).ok()) else { return Ok(()) };
        let picture = self.ask("picture", async {
            let answer = self.client.get_image(id, &Default::default()).await?;
            answer.bytes().await.map_err(|error| chimera_client::Error::Unreachable(Box::new(error)))
        });
        let picture = picture.await?;
        let query = VisualSearchQuery { limit: Some(8), ..Default::default() };
        // A shop without the model says so.
        let found = self.client.visual_search(&query, "image/jpeg", picture);
        if let Ok(found) = self.ask_for("visual search", &["no-image-model", "store-not-ready"], found).await? {
            found.hits.iter().try_for_each(|hit| self.check("visual search", checks::product(&hit.product)))?;
        }
        Ok(())
    }

    fn event(&mut self, kind: Kind, sku: Option<&str>, query: Option<&str>) {
        self.events.push(NewEvent {
            r#type: kind,
            session_id: self.session.clone(),
            sku: sku.map(str::to_owned),
            query: query.map(str::to_owned),
            customer_id: None,
            occurred_at: Some(chrono::Utc::now()),
            event_id: Some(Uuid::new_v4()),
        });
    }
}
