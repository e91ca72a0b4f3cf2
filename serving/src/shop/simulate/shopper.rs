//! One journey: look around, fill a cart, buy, and sometimes change one's mind.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chimera_client::types::{LogIn, NewEvent, Product, Registration};
use chimera_client::{Client, Problem};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::Progress;
use super::accounts::{Account, Accounts};
use super::checks::Checked;
use super::clerk::Clerk;
use super::measures::Measures;

/// Of all shoppers: those who have an account, and of these those who have it already.
const ACCOUNTS: f64 = 0.4;
const KNOWN: f64 = 0.8;

/// What all shoppers share.
pub struct Shop {
    pub client: Client,
    pub shelf: Vec<Product>,
    pub clerk: Option<Clerk>,
    pub accounts: Accounts,
    pub measures: Arc<Measures>,
    pub progress: Arc<Progress>,
}

/// The journey is over, because something failed that was noted.
pub struct Stopped;

pub type Journey<T> = Result<T, Stopped>;

/// An answer, or a refusal that was to be expected.
pub type Asked<T> = Result<T, Box<Problem>>;

pub struct Shopper {
    pub random: StdRng,
    pub session: String,
    pub shop: Arc<Shop>,
    /// Speaks for the shopper: a guest at first.
    pub client: Client,
    pub account: Option<Account>,
    pub events: Vec<NewEvent>,
}

impl Shopper {
    pub fn new(seed: u64, shop: Arc<Shop>) -> Self {
        let session = format!("simulated-{}", Uuid::new_v4().simple());
        let client = shop.client.clone();
        Self { random: StdRng::seed_from_u64(seed), session, shop, client, account: None, events: Vec::new() }
    }

    /// The whole journey. What fails is noted, and the shopper goes home.
    pub async fn shop(mut self) {
        self.shop.measures.came(|came| came.journeys += 1);
        let _ = self.journey().await;
        if let Some(account) = self.account.take() {
            self.shop.accounts.give_back(account);
        }
    }

    async fn journey(&mut self) -> Journey<()> {
        let has_account = self.random.random_bool(ACCOUNTS);
        // Some say who they are at once, others when the cart is full.
        let at_once = has_account && self.random.random_bool(0.5);
        if at_once {
            self.come_in().await?;
        }
        let basket = self.look_around().await?;
        let Some(purchase) = self.fill_cart(basket, has_account && !at_once).await? else { return Ok(()) };
        if let Some(bought) = self.buy(&purchase).await?
            && self.account.is_some()
        {
            self.change_mind(bought).await?;
        }
        Ok(())
    }

    /// Registers, logs in, or is logged in still. A guest's cart comes along.
    pub async fn come_in(&mut self) -> Journey<()> {
        let known = if self.random.random_bool(KNOWN) { self.shop.accounts.take() } else { None };
        let is_new = known.is_none();
        let mut account = match known {
            Some(account) => account,
            None => self.register().await?,
        };
        let bearer = match account.bearer().map(str::to_owned) {
            Some(bearer) => bearer,
            None => {
                let who = LogIn { email: account.email.clone(), password: account.password.clone(), ..Default::default() };
                let tokens = self.ask("log in", self.shop.client.log_in(&who)).await?;
                account.logged_in(tokens.access_token.clone());
                tokens.access_token.clone()
            }
        };
        self.client = self.shop.client.clone().with_bearer(&bearer);
        let me = self.ask("account", self.client.get_me()).await?;
        self.check(
            "account",
            if me.email == account.email { Ok(()) } else { Err(format!("{} is told to be {}", account.email, me.email)) },
        )?;
        self.account = Some(account);
        if !is_new {
            // What an earlier journey left in it that did not come to its end.
            self.ask("empty cart", self.client.clear_cart()).await?;
        }
        Ok(())
    }

    async fn register(&mut self) -> Journey<Account> {
        let name = Uuid::new_v4().simple().to_string();
        let mut account = Account::new(format!("shopper-{name}@example.com"), format!("{name} buys a lot"));
        let who = Registration { email: account.email.clone(), password: account.password.clone() };
        let tokens = self.ask("register", self.client.register(&who)).await?;
        account.logged_in(tokens.access_token.clone());
        Ok(account)
    }

    /// Sends a request that has to go well.
    pub async fn ask<T>(&self, kind: &'static str, request: impl Future<Output = chimera_client::Result<T>>) -> Journey<T> {
        match self.ask_for(kind, &[], request).await? {
            Ok(answer) => Ok(answer),
            Err(_) => Err(Stopped),
        }
    }

    /// Sends a request that may also be refused, for one of these reasons.
    pub async fn ask_for<T>(
        &self,
        kind: &'static str,
        reasons: &[&str],
        request: impl Future<Output = chimera_client::Result<T>>,
    ) -> Journey<Asked<T>> {
        let started = Instant::now();
        let result = request.await;
        let result = match result {
            Err(chimera_client::Error::Problem(problem)) if reasons.contains(&problem.name()) => Ok(Err(problem)),
            other => other.map(Ok),
        };
        self.shop.measures.record(kind, started.elapsed(), result.as_ref().err());
        self.shop.progress.requests.fetch_add(1, Ordering::Relaxed);
        result.map_err(|_| {
            self.shop.progress.errors.fetch_add(1, Ordering::Relaxed);
            Stopped
        })
    }

    /// Notes an answer that cannot be true.
    pub fn check(&self, kind: &'static str, checked: Checked) -> Journey<()> {
        checked.map_err(|why| {
            self.shop.measures.wrong(kind, &why);
            self.shop.progress.errors.fetch_add(1, Ordering::Relaxed);
            Stopped
        })
    }

    /// Asks again for a while until the answer is right: stores follow the databases, and jobs what they see.
    pub async fn eventually<T, F>(&self, kind: &'static str, mut request: impl FnMut() -> F, check: impl Fn(&T) -> Checked) -> Journey<T>
    where
        F: Future<Output = chimera_client::Result<T>>,
    {
        const AT_MOST: Duration = Duration::from_secs(20);
        const EVERY: Duration = Duration::from_millis(200);
        let until = Instant::now() + AT_MOST;
        loop {
            let answer = self.ask(kind, request()).await?;
            match check(&answer) {
                Ok(()) => return Ok(answer),
                wrong if Instant::now() > until => self.check(kind, wrong)?,
                Err(_) => tokio::time::sleep(EVERY).await,
            }
        }
    }
}
