//! What is asked: real products, words of their names, and carts of guests.

use std::sync::Arc;

use anyhow::{Context, ensure};
use chimera_client::types::{NewCartItem, NewReceipt, Product, ReceiptItem, SearchQuery};
use chimera_client::{Client, Key};
use futures::StreamExt;
use reqwest::{Method, Request, Url};
use serde_json::json;

/// Products that are asked for and bought, each as often as the others.
const PRODUCTS: i64 = 100;
const UNITS: i64 = 100_000;
/// Carts that are filled at once, before the clock begins.
const FILLERS: usize = 16;

pub type Make = Box<dyn FnMut(usize) -> Option<Request> + Send>;

/// What the requests of all kinds are made of.
#[derive(Clone)]
pub struct Requests {
    base: Url,
    client: Client,
    products: Arc<Vec<Product>>,
    words: Arc<Vec<String>>,
}

impl Requests {
    /// `operator`: sees to it that there is enough of everything.
    pub async fn new(base: &str, operator: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let client = Client::over(http, base)?;
        let query = SearchQuery { limit: Some(PRODUCTS), ..Default::default() };
        let hits = client.search(&query).await?.into_body().hits;
        let products: Vec<Product> = hits.into_iter().map(|hit| hit.product).collect();
        ensure!(!products.is_empty(), "search has no products to ask for");
        let items = products.iter().map(|product| ReceiptItem { sku: product.sku.clone(), quantity: UNITS }).collect();
        let receipt = NewReceipt { warehouse: "MAIN".to_owned(), reference: "for the benchmark".to_owned(), items };
        client.clone().with_bearer(operator).create_receipt(&Key::new(), &receipt).await.context("the stock for the benchmark")?;
        let names = products.iter().flat_map(|product| product.name.split(|c: char| !c.is_alphanumeric()));
        let mut words: Vec<String> = names.filter(|word| word.len() > 3).map(str::to_lowercase).collect();
        words.sort();
        words.dedup();
        Ok(Self { base: client.base().clone(), client, products: Arc::new(products), words: Arc::new(words) })
    }

    /// Each request another product.
    pub fn product(&self) -> Make {
        let (base, products) = (self.base.clone(), self.products.clone());
        Box::new(move |number| {
            let id = products[number % products.len()].id;
            Some(Request::new(Method::GET, base.join(&format!("/api/v1/products/{id}")).ok()?))
        })
    }

    /// Each request another word.
    pub fn search(&self) -> Make {
        let (base, words) = (self.base.clone(), self.words.clone());
        Box::new(move |number| {
            let word = words.get(number % words.len().max(1)).map_or("", String::as_str);
            Some(Request::new(Method::GET, base.join(&format!("/api/v1/search?q={word}&limit=20")).ok()?))
        })
    }

    /// Each request a new guest's first article.
    pub fn cart(&self) -> Make {
        let (base, products) = (self.base.clone(), self.products.clone());
        Box::new(move |number| {
            let sku = &products[number % products.len()].sku;
            post(base.join("/api/v1/cart/items").ok()?, &json!({ "sku": sku, "quantity": 1 }))
        })
    }

    /// Each request buys the cart of another guest; `count` carts are filled before.
    pub async fn checkout(&self, count: usize) -> anyhow::Result<Make> {
        let filled = futures::stream::iter(0..count).map(|number| {
            let item = NewCartItem { sku: self.products[number % self.products.len()].sku.clone(), quantity: 1 };
            async move { Ok::<_, anyhow::Error>(self.client.add_item(Some(&Key::new()), &item).await?.guest_token.clone()) }
        });
        let mut tokens = Vec::with_capacity(count);
        let mut filled = filled.buffer_unordered(FILLERS);
        while let Some(token) = filled.next().await {
            tokens.push(token?.context("a guest got no cart")?);
        }
        let base = self.base.clone();
        Ok(Box::new(move |number| {
            let body = json!({ "email": "ada@example.com", "payment_token": "tok_visa", "shipping_address": { "recipient": "Ada Lovelace",
                "address_line_1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4LE", "country": "United Kingdom" } });
            let mut request = post(base.join("/api/v1/checkout").ok()?, &body)?;
            request.headers_mut().insert("chimera-cart", tokens.get(number)?.parse().ok()?);
            request.headers_mut().insert("idempotency-key", Key::new().to_string().parse().ok()?);
            Some(request)
        }))
    }
}

fn post(url: Url, body: &serde_json::Value) -> Option<Request> {
    let mut request = Request::new(Method::POST, url);
    request.headers_mut().insert("content-type", "application/json".parse().ok()?);
    *request.body_mut() = Some(body.to_string().into());
    Some(request)
}

/// Of the reference.
pub fn constant(base: &Url, method: &Method) -> Make {
    let (base, is_read) = (base.clone(), *method == Method::GET);
    Box::new(move |_| {
        if is_read { Some(Request::new(Method::GET, base.clone())) } else { post(base.clone(), &json!({ "sku": "A", "quantity": 1 })) }
    })
}

/// Turn by turn: of every `of`, `share` are the first, the others the second.
pub fn mixed(mut first: Make, share: usize, of: usize, mut second: Make) -> Make {
    let (mut firsts, mut seconds) = (0.., 0..);
    Box::new(move |number| if number % of < share { first(firsts.next()?) } else { second(seconds.next()?) })
}
