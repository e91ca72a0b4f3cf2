//! The cart, its price, and the purchase.

use chimera_client::types::{
    Cart, CartMerge, CheckoutResponse, Destination, GetProductQuery, GetStockQuery, NewCartItem, NewCheckout, NewLine, Order,
    PostalAddress, Product, Progress, Quote, QuoteRequest, ShippingMethod, Status,
};
use chimera_client::{Key, Problem};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::sync::atomic::Ordering;

use super::checks;
use super::clerk::COUPON;
use super::shopper::{Asked, Journey, Shopper, Stopped};

const COUNTRIES: [&str; 8] = ["United Kingdom", "United Kingdom", "United Kingdom", "Germany", "France", "EIRE", "Spain", "Netherlands"];
/// Cards, as the simulated payment provider knows them.
const CARDS: [(&str, Card); 20] = {
    let mut cards = [("tok_visa", Card::Good); 20];
    cards[0] = ("tok_declined", Card::Bad);
    cards[1] = ("tok_capture_declined", Card::Bad);
    cards[2] = ("tok_pending", Card::Good);
    cards[3] = ("tok_repeated", Card::Good);
    cards
};
/// Of all purchases: those with a coupon, with one that there is not, that are sent twice, and whose articles' stock is looked at.
const COUPONS: f64 = 0.2;
const BAD_COUPONS: f64 = 0.05;
const SENT_TWICE: f64 = 0.1;
const WATCHED: f64 = 0.1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Card {
    Good,
    Bad,
}

/// What is about to be bought.
pub struct Purchase {
    cart: Cart,
    quote: Quote,
    wanted: NewCheckout,
    card: Card,
}

impl Shopper {
    /// Puts things into the cart, and asks what they cost. `None`: something cannot be had any more.
    pub async fn fill_cart(&mut self, basket: Vec<Product>, comes_in: bool) -> Journey<Option<Purchase>> {
        let mut units: Vec<(String, i64)> = Vec::new();
        let mut guest_token = None;
        for product in &basket {
            let quantity = self.random.random_range(1..=3);
            let key = Key::new();
            let item = NewCartItem { sku: product.sku.clone(), quantity };
            let cart = self.ask("add to cart", self.client.add_item(Some(&key), &item)).await?.into_body();
            if let Some(token) = &cart.guest_token {
                guest_token = Some(token.clone());
                self.client = self.client.clone().with_cart(token);
            }
            units.push((product.sku.clone(), quantity));
            units.sort();
            self.check("add to cart", checks::cart(&cart, &units))?;
        }
        if units.len() > 1 && self.random.random_bool(0.1) {
            let (sku, _) = units.remove(0);
            let cart = self.ask("take from cart", self.client.remove_item(&sku)).await?;
            self.check("take from cart", checks::cart(&cart, &units))?;
        }
        if comes_in && let Some(guest_token) = guest_token {
            self.come_in().await?;
            // Who has just registered has it already: twice is as good as once.
            let cart = self.ask("merge cart", self.client.merge_cart(&CartMerge { guest_token })).await?;
            self.check("merge cart", checks::cart(&cart, &units))?;
        }
        let cart = self.ask("cart", self.client.get_cart()).await?.into_body();
        self.check("cart", checks::cart(&cart, &units))?;
        self.prices_are_the_catalogues(&cart, &basket).await?;
        if !cart.is_ready || cart.items.is_empty() {
            self.shop.measures.came(|came| came.sold_out += 1);
            return Ok(None);
        }
        self.price(cart).await.map(Some)
    }

    /// Stores follow the catalogue: what a product's page says comes to what the cart says.
    async fn prices_are_the_catalogues(&self, cart: &Cart, basket: &[Product]) -> Journey<()> {
        for item in &cart.items {
            let Some(product) = basket.iter().find(|product| product.sku == item.sku) else { continue };
            let Some(price) = item.unit_price_cents.filter(|price| *price != product.price_cents) else { continue };
            let page = || async { Ok(self.client.get_product(product.id, &GetProductQuery::default()).await?.into_body().product) };
            let is_same = |now: &Product| {
                if now.price_cents == price {
                    Ok(())
                } else {
                    Err(format!("{} costs {} on its page, {price} in the cart", item.sku, now.price_cents))
                }
            };
            self.eventually("product", page, is_same).await?;
        }
        Ok(())
    }

    async fn price(&mut self, mut cart: Cart) -> Journey<Purchase> {
        let country = COUNTRIES.choose(&mut self.random).copied().unwrap_or(COUNTRIES[0]).to_owned();
        let method = if self.random.random_bool(0.2) { ShippingMethod::Express } else { ShippingMethod::Standard };
        let has_coupon = self.shop.clerk.is_some() && self.random.random_bool(COUPONS);
        let mut asked = QuoteRequest {
            items: cart.items.iter().map(|item| NewLine { sku: item.sku.clone(), quantity: item.quantity }).collect(),
            coupons: has_coupon.then(|| vec![COUPON.to_owned()]),
            destination: Some(Destination { country: country.clone(), ..Default::default() }),
            shipping_method: Some(method),
        };
        if self.random.random_bool(BAD_COUPONS) {
            let bad = QuoteRequest { coupons: Some(vec!["NO-SUCH-COUPON".to_owned()]), ..asked.clone() };
            let quote = self.ask("quote", self.client.create_quote(&bad)).await?;
            let is_rejected = matches!(quote.rejected_coupons.as_slice(), [one] if one.code == "NO-SUCH-COUPON");
            self.check("quote", if is_rejected { Ok(()) } else { Err("a coupon that there is not was taken".to_owned()) })?;
        }
        let mut quote = self.quote(&mut cart, &asked).await?;
        if has_coupon {
            self.check("quote", checks::coupon(&quote))?;
        }
        if !quote.rejected_coupons.is_empty() {
            // Another promotion stands alone, or somebody switched ours off: bought without.
            asked.coupons = None;
            quote = self.quote(&mut cart, &asked).await?;
        }
        let (card, kind) = *CARDS.choose(&mut self.random).unwrap_or(&CARDS[4]);
        let wanted = NewCheckout {
            email: Some(format!("{}@example.com", self.session)),
            shipping_address: Some(PostalAddress {
                recipient: "A simulated shopper".to_owned(),
                address_line_1: "12 St James's Square".to_owned(),
                city: "London".to_owned(),
                postal_code: "SW1Y 4LE".to_owned(),
                country,
                ..Default::default()
            }),
            coupons: asked.coupons.take(),
            shipping_method: Some(method),
            payment_token: card.to_owned(),
            total_cents: Some(quote.total_cents),
            ..Default::default()
        };
        Ok(Purchase { cart, quote, wanted, card: kind })
    }

    /// What the cart costs. A price that was changed between two requests is in neither of the next two.
    async fn quote(&self, cart: &mut Cart, asked: &QuoteRequest) -> Journey<Quote> {
        let mut quote = self.ask("quote", self.client.create_quote(asked)).await?.into_body();
        if checks::quote(&quote, cart).is_err() {
            *cart = self.ask("cart", self.client.get_cart()).await?.into_body();
            quote = self.ask("quote", self.client.create_quote(asked)).await?.into_body();
        }
        self.check("quote", checks::quote(&quote, cart))?;
        Ok(quote)
    }

    /// Buys it. `None`: it came to nothing, and rightly so.
    pub async fn buy(&mut self, purchase: &Purchase) -> Journey<Option<Order>> {
        let key = Key::new();
        let bought = match self.check_out(&key, purchase).await? {
            Ok(bought) => bought,
            Err(problem) => return self.came_to_nothing(&problem, purchase).await.map(|()| None),
        };
        if purchase.card == Card::Bad {
            self.check("checkout", Err(format!("{} was taken", purchase.wanted.payment_token)))?;
        }
        let order = bought.order.clone();
        let Some(order) = order else {
            self.check("checkout", Err("it is completed, and there is no order".to_owned()))?;
            return Err(Stopped);
        };
        self.check("checkout", if bought.quote == purchase.quote { Ok(()) } else { Err("it is not what was quoted".to_owned()) })?;
        self.check("checkout", checks::order(&order, &purchase.quote))?;
        self.check("checkout", checks::standing(&order, Status::Paid, 0))?;
        let has_discount = bought.quote.discounts.iter().any(|discount| discount.coupon.as_deref() == Some(COUPON));
        self.shop.measures.came(|came| {
            came.orders += 1;
            came.with_coupon += u64::from(has_discount);
        });
        self.shop.progress.orders.fetch_add(1, Ordering::Relaxed);
        if self.random.random_bool(SENT_TWICE) {
            let again = self.ask("checkout again", self.client.create_checkout(&key, &purchase.wanted)).await?;
            let is_same = again.id == bought.id && again.is_replayed() && again.order.as_ref().map(|order| order.id) == Some(order.id);
            self.check("checkout again", if is_same { Ok(()) } else { Err(format!("{} became {}", bought.id, again.id)) })?;
        }
        let is_empty = |cart: &Cart| checks::cart(cart, &[]);
        self.eventually("cart", || async { Ok(self.client.get_cart().await?.into_body()) }, is_empty).await?;
        if let Some(position) = bought.position.clone().filter(|_| self.random.random_bool(WATCHED)) {
            let query = GetStockQuery { after: Some(position), wait_ms: Some(10_000) };
            for item in &purchase.cart.items {
                let stock = self.ask("order to stock level", self.client.get_stock(&item.sku, &query)).await?;
                self.check("order to stock level", checks::stock(&stock.stock))?;
            }
        }
        Ok(Some(order))
    }

    /// Until it is decided.
    async fn check_out(&self, key: &Key, purchase: &Purchase) -> Journey<Asked<CheckoutResponse>> {
        const REFUSALS: [&str; 4] = ["payment-declined", "payment-refused", "out-of-stock", "price-changed"];
        let asked = self.client.create_checkout(key, &purchase.wanted);
        let mut said = self.ask_for("checkout", &REFUSALS, asked).await?.map(chimera_client::Answer::into_body);
        for _ in 0..120 {
            match said {
                Ok(pending) if pending.status == Progress::Pending => {
                    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                    let look = self.ask_for("checkout in progress", &REFUSALS, self.client.get_checkout(pending.id));
                    said = look.await?.map(chimera_client::Answer::into_body);
                }
                decided => return Ok(decided),
            }
        }
        self.check("checkout in progress", Err("it is not decided after a minute".to_owned()))?;
        Err(Stopped)
    }

    /// A refusal has a reason, and changes nothing.
    async fn came_to_nothing(&self, problem: &Problem, purchase: &Purchase) -> Journey<()> {
        match problem.name() {
            "payment-declined" | "payment-refused" if purchase.card == Card::Bad => self.shop.measures.came(|came| came.declined += 1),
            "payment-declined" | "payment-refused" => {
                self.check("checkout", Err(format!("{} was declined", purchase.wanted.payment_token)))?
            }
            "out-of-stock" => self.shop.measures.came(|came| came.sold_out += 1),
            // Somebody changed a price in the meantime, and the shopper was not charged another one.
            _ => self.shop.measures.came(|came| came.repriced += 1),
        }
        let units: Vec<(String, i64)> = purchase.cart.items.iter().map(|item| (item.sku.clone(), item.quantity)).collect();
        let cart = self.ask("cart", self.client.get_cart()).await?;
        self.check("cart", checks::cart(&cart, &units))
    }
}
