//! A thousand shoppers for a hundred units, while the platform is killed again and again and its servers go away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chimera_local::{TestPostgres, TestRabbitMq, TestRedis};
use chimera_serving::shop::databases::Server;
use parking_lot::RwLock;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::books;
use crate::platform::Platform;

const SHOPPERS: usize = 1_000;
/// Units come in as many receipts, each just before a fault, so that purchases are on their way then.
const RECEIPTS: usize = 10;
const UNITS_A_RECEIPT: usize = 10;
/// After how long somebody who got nothing looks again.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a server is away.
const AWAY: Duration = Duration::from_secs(10);

/// Long: retries of letters come later each time.
const LETTERS_WITHIN: Duration = Duration::from_secs(180);

/// The shop as its programs see it: an address that changes when it is started again.
struct Shop {
    http: Client,
    url: RwLock<String>,
    token: String,
}

impl Shop {
    fn new(home: &Path, platform: &Platform) -> Self {
        let token = std::fs::read_to_string(home.join("operator.token")).expect("a token").trim().to_owned();
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
        Self { http, url: RwLock::new(platform.url()), token }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url.read()))
    }

    /// Sends it until it is answered by somebody who could do it: what a client with patience does.
    async fn insist(&self, request: impl Fn() -> RequestBuilder) -> (StatusCode, Value) {
        loop {
            if let Ok(answer) = request().send().await {
                let status = answer.status();
                match answer.json().await {
                    Ok(body) if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::ACCEPTED => {
                        return (status, body);
                    }
                    _ => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    /// Changes something as the operator.
    async fn change(&self, path: &str, key: &str, body: Value) -> Value {
        let send = || self.request(Method::POST, path).bearer_auth(&self.token).header("idempotency-key", key).json(&body);
        let (status, answer) = self.insist(send).await;
        assert!(status.is_success() || status == StatusCode::CONFLICT, "{path}: {status} {answer}");
        answer
    }

    /// Puts a unit into a cart of their own and buys it; until it is theirs, or there will be no more.
    async fn shopper(&self, nth: usize, sold_out: &AtomicBool) -> bool {
        let purchase = json!({ "email": format!("shopper{nth}@example.com"), "payment_token": "tok_visa", "shipping_address": {
            "recipient": "Ada Lovelace", "address_line_1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4LE",
            "country": "United Kingdom" } });
        // An answer that was lost left a cart that nobody has: the next one is another.
        let (status, cart) =
            self.insist(|| self.request(Method::POST, "/api/v1/cart/items").json(&json!({ "sku": "LAST", "quantity": 1 }))).await;
        assert_eq!(status, StatusCode::OK, "{cart}");
        let cart = cart["guest_token"].as_str().expect("a guest's token").to_owned();
        for attempt in 0.. {
            let is_last = sold_out.load(Ordering::SeqCst);
            let key = format!("shopper-{nth}-{attempt}");
            let buy = || {
                let request = self.request(Method::POST, "/api/v1/checkout").header("chimera-cart", &cart);
                request.header("idempotency-key", &key).json(&purchase)
            };
            match self.insist(buy).await {
                (StatusCode::CREATED, _) => return true,
                (StatusCode::CONFLICT, problem) => {
                    assert_eq!(problem["type"].as_str().map(|kind| kind.ends_with("/out-of-stock")), Some(true), "{problem}")
                }
                (status, problem) => panic!("{status} {problem}"),
            }
            if is_last {
                return false;
            }
            // They come back, not all at once.
            tokio::time::sleep(PATIENCE.mul_f64(rand::random_range(0.5..1.5))).await;
        }
        unreachable!("attempts do not end")
    }
}

/// Confirmations of orders, a file each.
fn letters(home: &Path) -> usize {
    let names = std::fs::read_dir(home.join("mail")).expect("the letters").map(|file| file.expect("a letter").file_name());
    names.filter(|name| name.to_string_lossy().starts_with("order.confirmation-")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_shoppers_share_a_hundred_units_whatever_dies_meanwhile() {
    let start = || Ok::<_, chimera_local::Error>((TestPostgres::start()?, TestRedis::start()?, TestRabbitMq::start()?));
    let (mut postgres, mut redis, mut rabbitmq) = match tokio::task::spawn_blocking(start).await.unwrap() {
        Ok(servers) => servers,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let url = postgres.url("postgres");
    let folder = tempfile::tempdir().unwrap();
    let (database_url, redis_url, rabbitmq_url) = (url.clone(), redis.url(), rabbitmq.url());
    // Two of three orders are in other databases than the stock and the purchases.
    let shards = ["--order-shards", "3"];
    let servers = ["--database-url", &database_url, "--redis-url", &redis_url, "--rabbitmq-url", &rabbitmq_url];
    let arguments = [["--no-sample", "--checkpoint-every"].as_slice(), &["1"], &shards, &servers].concat();
    let start = || tokio::task::block_in_place(|| Platform::start_whole(folder.path(), &arguments));
    let mut platform = start();
    let shop = Arc::new(Shop::new(folder.path(), &platform));
    shop.change(
        "/api/v1/catalog/products",
        "product",
        json!({ "sku": "LAST", "name": "The last ones", "price_cents": 1000, "currency": "GBP" }),
    )
    .await;

    let sold_out = Arc::new(AtomicBool::new(false));
    let mut shoppers = JoinSet::new();
    for nth in 0..SHOPPERS {
        let (shop, sold_out) = (shop.clone(), sold_out.clone());
        shoppers.spawn(async move { shop.shopper(nth, &sold_out).await });
    }
    for receipt in 0..RECEIPTS {
        let items = json!([{ "sku": "LAST", "quantity": UNITS_A_RECEIPT }]);
        let units = json!({ "warehouse": "MAIN", "reference": format!("DN-{receipt}"), "items": items });
        shop.change("/api/v1/inventory/receipts", &format!("receipt-{receipt}"), units).await;
        tokio::time::sleep(Duration::from_millis(100 + 90 * receipt as u64)).await;
        tokio::task::block_in_place(|| platform.kill());
        platform = start();
        *shop.url.write() = platform.url();
        match receipt {
            2 => {
                postgres.crash().unwrap();
                tokio::time::sleep(AWAY).await;
                tokio::task::block_in_place(|| postgres.start_again()).unwrap();
            }
            5 => {
                tokio::task::block_in_place(|| redis.stop()).unwrap();
                tokio::time::sleep(AWAY).await;
                tokio::task::block_in_place(|| redis.start_again()).unwrap();
            }
            8 => {
                tokio::task::block_in_place(|| rabbitmq.crash()).unwrap();
                tokio::time::sleep(AWAY).await;
                tokio::task::block_in_place(|| rabbitmq.start_again()).unwrap();
            }
            _ => {}
        }
    }
    let databases = Server::with_shards(&url, &[url.clone(), url.clone()]).unwrap().databases();
    let promised = "SELECT coalesce(sum(quantity), 0)::bigint FROM allocations WHERE sku = 'LAST'";
    while books::count(&databases.orders, promised).await < (RECEIPTS * UNITS_A_RECEIPT) as i64 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    sold_out.store(true, Ordering::SeqCst);
    let bought = shoppers.join_all().await.into_iter().filter(|bought| *bought).count();

    let open = "SELECT count(*) FROM checkouts WHERE state NOT IN ('completed', 'failed')";
    while books::count(&databases.orders, open).await > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    books::check(&databases).await;
    let orders = books::count_all(&databases, "SELECT count(*) FROM orders WHERE kind = 'order' AND status = 'paid'").await;
    assert_eq!((orders, bought), (100, 100), "orders, and shoppers who were told that they have one");
    // Everybody who bought gets a letter, and no order a second one.
    let told = async {
        while books::count_all(&databases, "SELECT count(*) FROM outbox").await > 0
            || books::count(&databases.notifications, "SELECT count(*) FROM deliveries WHERE status <> 'sent'").await > 0
            || letters(folder.path()) < 100
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(LETTERS_WITHIN, told).await.unwrap_or_else(|_| panic!("{} letters:\n{}", letters(folder.path()), platform.log()));
    assert_eq!(letters(folder.path()), 100);
    // Waits first until every store holds what was committed.
    crate::chaos::assert_verified(&platform);
    let (status, stock) = shop.insist(|| shop.request(Method::GET, "/api/v1/inventory/LAST")).await;
    assert_eq!((status, &stock["available"]), (StatusCode::OK, &json!(0)), "{stock}");
}
