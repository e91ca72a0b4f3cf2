//! The shop's own data on a real PostgreSQL: schema, sample shop, replay, and the check of derived stores.

use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use chimera_local::{TestPostgres, TestRedis};
use chimera_serving::shop::databases::{ALL, SOURCES, Server, begin};
use chimera_serving::shop::online_retail::{self, Options, Report, catalogue, replay};
use chimera_serving::shop::verify::{self, Dump, Readers, Scratch, Store};
use chimera_serving::shop::{icecat, orders, sample};
use chrono::Utc;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

/// A server with migrated databases; `None` where PostgreSQL is not installed.
async fn databases() -> Option<(TestPostgres, Server)> {
    let started = tokio::task::spawn_blocking(TestPostgres::start).await.unwrap();
    let postgres = match started {
        Ok(postgres) => postgres,
        Err(error) if error.is_missing() => {
            eprintln!("skipped: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let server = Server::new(&postgres.url("postgres")).unwrap();
    let all = [
        "auth",
        "users",
        "carts",
        "catalog",
        "orders",
        "payments",
        "simulated_provider",
        "inventory",
        "pricing",
        "notifications",
        "flags",
        "reporting",
    ];
    assert_eq!(server.create_missing().await.unwrap(), all);
    assert!(server.migrate().await.unwrap() >= all.len());
    Some((postgres, server))
}

async fn count(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(connection).await.unwrap()
}

/// Units that came in, by SKU.
async fn received(server: &Server) -> HashMap<String, i64> {
    let mut inventory = server.connect("inventory").await.unwrap();
    let sums = "SELECT sku, sum(quantity)::bigint FROM stock_movements GROUP BY sku";
    sqlx::query_as(sums).fetch_all(&mut inventory).await.unwrap().into_iter().collect()
}

#[tokio::test]
async fn migrations_run_once_and_every_published_table_sends_whole_old_rows() {
    let Some((_postgres, server)) = databases().await else { return };
    assert!(server.create_missing().await.unwrap().is_empty());
    assert_eq!(server.migrate().await.unwrap(), 0, "nothing is left to do");
    for source in SOURCES {
        let mut connection = server.connect(source).await.unwrap();
        let published = count(&mut connection, "SELECT count(*) FROM pg_publication_tables WHERE pubname = 'chimera'").await;
        assert!(published >= 2, "{source} publishes {published} tables");
        let not_full = "SELECT count(*) FROM pg_publication_tables JOIN pg_class ON relname = tablename WHERE relreplident <> 'f'";
        assert_eq!(count(&mut connection, not_full).await, 0, "{source}");
    }
    let mut orders = server.connect("orders").await.unwrap();
    let hidden = "SELECT count(*) FROM pg_publication_tables WHERE tablename IN ('allocations', 'idempotency_keys', 'received')";
    assert_eq!(count(&mut orders, hidden).await, 0);
    let refused =
        sqlx::query("INSERT INTO orders (number, country, placed_at, kind) VALUES ('1', 'EIRE', now(), 'gift')").execute(&mut orders).await;
    assert!(refused.unwrap_err().to_string().contains("orders_kind_check"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_begin_was_cancelled_is_nobodys() {
    let Some((_postgres, server)) = databases().await else { return };
    let pool = server.databases().orders;
    for nth in 0..1_000 {
        // A client that goes away at any moment of it.
        tokio::time::timeout(std::time::Duration::from_micros(nth), begin(&pool)).await.ok();
        let written = sqlx::query("INSERT INTO allocations VALUES ($1, 1)").bind(format!("SKU-{nth}"));
        written.execute(&pool).await.unwrap();
    }
    pool.close().await;
    let mut other = server.connect("orders").await.unwrap();
    assert_eq!(count(&mut other, "SELECT count(*) FROM allocations").await, 1_000, "what was written is there");
}

#[tokio::test]
async fn orders_stay_in_as_many_databases_as_there_were_at_the_first() {
    let Some((postgres, server)) = databases().await else { return };
    let url = postgres.url("postgres");
    let spread = |over: usize| Server::with_shards(&url, &vec![url.clone(); over - 1]).unwrap();
    // As long as there is no order it may be changed.
    assert_eq!(spread(3).create_missing().await.unwrap(), ["orders_1", "orders_2"]);
    assert!(spread(3).migrate().await.unwrap() > 0);
    for over in [1, 2] {
        assert_eq!(spread(over).migrate().await.unwrap(), 0);
    }
    let history = sample::orders(&sample::items(), Utc::now());
    let shards = spread(2).databases().shards;
    for shard in shards.all() {
        let here: Vec<_> = history.iter().filter(|order| shards.of(order.id()).source == shard.source).cloned().collect();
        assert!(!here.is_empty());
        let mut connection = shard.pool.acquire().await.unwrap();
        assert_eq!(orders::write_with_retries(shard, &mut connection, &here).await.unwrap().orders, here.len() as u64);
    }
    for over in [1, 3] {
        let refused = spread(over).migrate().await.unwrap_err().to_string();
        assert!(refused.contains("spread over 2 database(s)") && refused.contains("--order-shards 2"), "{refused}");
    }
    for over in [1, 2] {
        assert_eq!(spread(over).check_shards().await.is_ok(), over == 2);
    }
    // Another database in its place, or an empty one, is not taken for it.
    for changed in ["UPDATE shards SET home = gen_random_uuid()", "DELETE FROM shards"] {
        sqlx::query(changed).execute(&mut spread(2).connect("orders_1").await.unwrap()).await.unwrap();
        let refused = spread(2).migrate().await.unwrap_err().to_string();
        assert!(refused.contains("orders_1") && refused.contains("--order-shard-urls"), "{refused}");
    }
    assert_eq!(server.databases_of("orders").collect::<Vec<_>>(), ["orders"]);
}

/// Tables that are not published, by database, with the reason.
const UNAUDITED: &[(&str, &str)] = &[
    // Secrets, or what stands for one.
    ("auth", "login_attempts one_time_tokens outbox recovery_codes refresh_tokens"),
    // What somebody means to buy; what they did buy is an order.
    ("carts", "bought_checkouts cart_additions cart_items carts merged_carts"),
    // A history of its own, of changes that are in the trail.
    ("catalog", "price_changes"),
    ("flags", "flag_changes flag_revision"),
    // On its way, derived, or the address of a person.
    ("inventory", "idempotency_keys stock_levels"),
    (
        "orders",
        "allocated_changes allocation_changes allocations checkouts idempotency_keys order_contacts outbox placements refunds reservations shards \
         withdrawals",
    ),
    ("payments", "provider_events"),
    // What was sent; the recipients are persons.
    ("notifications", "deliveries"),
];

#[tokio::test]
async fn every_table_is_in_the_audit_trail_or_has_a_reason_not_to_be() {
    let Some((_postgres, server)) = databases().await else { return };
    let mut audited: Vec<String> = Vec::new();
    for (database, _) in ALL.iter().filter(|(name, _)| !["reporting", "simulated_provider"].contains(name)) {
        let tables =
            "SELECT tablename::text, EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname = 'chimera' AND p.tablename = t.tablename)
                      FROM pg_tables t WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%' ORDER BY 1";
        let mut connection = server.connect(database).await.unwrap();
        let tables: Vec<(String, bool)> = sqlx::query_as(tables).fetch_all(&mut connection).await.unwrap();
        let not: Vec<&str> = tables.iter().filter(|(_, published)| !published).map(|(name, _)| name.as_str()).collect();
        let expected = UNAUDITED.iter().find(|(name, _)| name == database).map_or("", |(_, tables)| tables);
        assert_eq!(not.join(" "), expected, "tables of {database} that are not published");
        audited.extend(tables.into_iter().filter(|(_, published)| *published).map(|(name, _)| format!("{database}.public.{name}")));
    }
    // Pictures are published for search by picture; the trail would hold each of them twice.
    audited.retain(|topic| topic != "catalog.public.product_images");
    audited.sort_unstable();
    let mut topics = chimera_serving::audit::topics(&server.databases().shards);
    topics.sort_unstable();
    assert_eq!(topics, audited);

    // Of accounts and people nothing that is secret, and nothing that would have to be forgotten.
    let published = "SELECT string_agg(concat(tablename, ': ', attnames), E'\n' ORDER BY tablename) FROM pg_publication_tables";
    for (database, columns) in [
        (
            "auth",
            "api_keys: {key_id,user_id,read_only,created_at,expires_at}
             credentials: {user_id,role,email_verified_at,disabled_at,totp_enabled_at,created_at,updated_at}
             sessions: {session_id,user_id,created_at,ended_at,ended_by}
             signing_keys: {key_id,created_at}",
        ),
        (
            "users",
            "user_addresses: {id,user_id,address_type,is_default,created_at,updated_at}
             users: {id,preferred_currency,marketing_opt_in,created_at,updated_at}",
        ),
        ("notifications", "webhooks: {id,url,events,is_active,created_at,updated_at}"),
    ] {
        let found: String = sqlx::query_scalar(published).fetch_one(&mut server.connect(database).await.unwrap()).await.unwrap();
        assert!(found.lines().eq(columns.lines().map(str::trim)), "{found}");
    }
}

#[tokio::test]
async fn the_sample_shop_loads_twice_without_doubling() {
    let Some((_postgres, server)) = databases().await else { return };
    let sources = server.databases();
    assert!(sample::is_empty(&sources).await.unwrap() && !sample::is_loaded(&sources).await.unwrap());
    let now = Utc::now();
    let first = sample::load(&sources, now).await.unwrap();
    assert_eq!((first.products, first.orders), (475, 3_000));
    assert!(!sample::is_empty(&sources).await.unwrap() && sample::is_loaded(&sources).await.unwrap());
    let counts = async || {
        let mut counts = Vec::new();
        let tables = ["catalog.products", "catalog.product_variants", "catalog.product_images", "catalog.brands", "catalog.categories"];
        let more = ["orders.orders", "orders.order_items", "inventory.stock_movements", "inventory.reorder_points"];
        for name in tables.into_iter().chain(more) {
            let (database, table) = name.split_once('.').unwrap();
            counts.push((name, count(&mut server.connect(database).await.unwrap(), &format!("SELECT count(*) FROM {table}")).await));
        }
        let mut orders = server.connect("orders").await.unwrap();
        counts.push(("allocated", count(&mut orders, "SELECT sum(quantity)::bigint FROM allocations").await));
        counts
    };
    let before = counts().await;
    assert!(before.iter().all(|(_, count)| *count > 0), "{before:?}");
    let second = sample::load(&sources, now).await.unwrap();
    assert_eq!((second.products, second.orders, second.order_lines), (0, 0, 0));
    assert_eq!(counts().await, before);

    // What was promised is what the lines say, and no more than came in.
    let mut orders = server.connect("orders").await.unwrap();
    let wrong = "SELECT count(*) FROM allocations a FULL JOIN (SELECT sku, sum(quantity) AS q FROM order_items GROUP BY sku) i USING (sku)
                  WHERE a.quantity IS DISTINCT FROM i.q";
    assert_eq!(count(&mut orders, wrong).await, 0);
    let allocated: HashMap<String, i64> =
        sqlx::query_as("SELECT sku, quantity FROM allocations").fetch_all(&mut orders).await.unwrap().into_iter().collect();
    let received = received(&server).await;
    for (sku, quantity) in allocated {
        assert!(received[&sku] >= quantity, "{sku} is oversold");
    }
}

/// Totals counted from the CSV in a way of their own: `lines, invoices, stock codes, customers, cancellation lines, value`.
fn count_csv(path: &Path, invoices: usize) -> (i64, usize, usize, usize, i64, Decimal) {
    let file = BufReader::new(std::fs::File::open(path).unwrap());
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else {
        { file }.read_to_string(&mut text).unwrap();
    }
    let (mut lines, mut cancelled, mut value) = (0, 0, Decimal::ZERO);
    let (mut seen, mut skus, mut customers) = (HashSet::new(), HashSet::new(), HashSet::new());
    for record in csv::Reader::from_reader(text.as_bytes()).into_records() {
        let record = record.unwrap();
        if seen.len() == invoices && !seen.contains(&record[0]) {
            continue;
        }
        seen.insert(record[0].to_owned());
        skus.insert(record[1].to_owned());
        if !record[6].is_empty() {
            customers.insert(record[6].to_owned());
        }
        lines += 1;
        cancelled += i64::from(record[0].starts_with('C'));
        value += record[3].parse::<Decimal>().unwrap() * record[5].parse::<Decimal>().unwrap();
    }
    (lines, seen.len(), skus.len(), customers.len(), cancelled, value)
}

async fn play(server: &Server, path: &Path, limit: usize) -> Report {
    let year = online_retail::read(path, Some(limit)).unwrap();
    catalogue::import(&server.databases(), &year).await.unwrap();
    let options = Options { speed: None, connections: 4 };
    replay(server, year.invoices, &options, Arc::default()).await.unwrap()
}

/// A piece of a year of our own making, for machines without the real one: cancellations, guests, several times on an invoice.
fn made_up_year(folder: &Path) -> PathBuf {
    let mut text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
    for invoice in 0..400 {
        let cancelled = invoice % 9 == 8;
        for line in 0..invoice % 7 + 1 {
            let (sku, sign) = ((invoice * 31 + line * 17) % 60, if cancelled { "-" } else { "" });
            let number = format!("{}{}", if cancelled { "C" } else { "" }, 500_000 + invoice);
            let customer = if invoice % 4 == 0 { String::new() } else { format!("{}.0", 12_000 + invoice % 50) };
            let time = format!("2010-12-{:02} {:02}:{:02}:00", 1 + invoice / 40, 8 + invoice % 10, line % 2);
            text.push_str(&format!(
                "{number},{sku:05},THING {sku},{sign}{},{time},{}.{:03},{customer},EIRE\n",
                1 + line,
                sku,
                invoice % 1000
            ));
        }
    }
    let path = folder.join("year.csv");
    std::fs::write(&path, text).unwrap();
    path
}

async fn replay_equals_an_independent_count(path: &Path, limit: usize) {
    let Some((_postgres, server)) = databases().await else { return };
    // The first half, then everything: as after a run that was killed in the middle.
    let half = play(&server, path, limit / 2).await;
    assert!(half.complete && half.skipped_orders == 0, "{half:?}");
    let report = play(&server, path, limit).await;
    assert_eq!(report.skipped_orders, half.orders);
    let (lines, invoices, skus, customers, cancelled, value) = count_csv(path, limit);
    let stored = &report.stored;
    assert_eq!((stored.lines, stored.cancellation_lines, stored.revenue), (lines, cancelled, value.normalize()));
    assert_eq!((stored.orders, stored.skus, stored.customers), (invoices as i64, skus as i64, customers as i64));
    let again = play(&server, path, limit).await;
    assert_eq!((again.orders, again.lines, again.skipped_orders), (0, 0, invoices as u64));

    let mut orders = server.connect("orders").await.unwrap();
    assert_eq!(count(&mut orders, "SELECT count(*) FROM order_items").await, lines, "nothing twice");
    assert_eq!(count(&mut orders, "SELECT count(DISTINCT xmin::text) FROM orders").await, invoices as i64, "a transaction each");
    let wrong = "SELECT count(*) FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.xmin::text <> i.xmin::text";
    assert_eq!(count(&mut orders, wrong).await, 0, "lines are written with their order");
    let received = received(&server).await;
    let allocated: Vec<(String, i64)> = sqlx::query_as("SELECT sku, quantity FROM allocations").fetch_all(&mut orders).await.unwrap();
    assert_eq!(allocated.len(), skus);
    assert!(allocated.iter().all(|(sku, quantity)| received.get(sku).copied().unwrap_or(0) >= *quantity), "never oversold");
}

#[tokio::test]
async fn a_made_up_year_is_replayed_once_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    replay_equals_an_independent_count(&made_up_year(folder.path()), 400).await;
}

fn outside_data(file: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("CHIMERA_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = folder.join(file);
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
    }
    path.is_file().then_some(path)
}

#[tokio::test]
async fn a_piece_of_the_real_year_is_replayed_once_and_whole() {
    let Some(path) = outside_data("online-retail/online_retail.csv.gz") else { return };
    replay_equals_an_independent_count(&path, 600).await;
}

#[tokio::test]
async fn the_real_catalogue_is_imported_once() {
    let Some(path) = outside_data("icecat/products.jsonl.gz") else { return };
    let Some((_postgres, server)) = databases().await else { return };
    let products = icecat::read(&path, Some(1_500)).unwrap();
    assert_eq!(icecat::import(&server, &products, |_| {}).await.unwrap().products, 1_500);
    let again = icecat::import(&server, &products, |_| {}).await.unwrap();
    assert_eq!((again.products, again.receipts), (0, 0));
    let mut catalog = server.connect("catalog").await.unwrap();
    let found = "SELECT count(*) FROM products p JOIN brands b ON b.id = p.brand_id JOIN categories c ON c.id = p.category_id
                  JOIN product_variants v ON v.product_id = p.id WHERE p.sku LIKE 'ICE-%' AND v.attributes ? 'model'";
    assert_eq!(count(&mut catalog, found).await, 1_500);
}

/// Stores inside the server's process, as a test says they are.
struct Rows(Vec<Value>);

#[async_trait]
impl Dump for Rows {
    async fn rows(&self, _: &Store) -> Result<Vec<Map<String, Value>>, String> {
        Ok(self.0.iter().filter_map(|row| row.as_object().cloned()).collect())
    }
}

fn store(name: &str, connector: &str, key: &[&str], options: &[(&str, &str)]) -> Store {
    Store {
        name: name.to_owned(),
        connector: connector.to_owned(),
        primary_key: key.iter().map(|column| (*column).to_owned()).collect(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

#[tokio::test]
async fn verification_finds_what_is_planted_in_every_kind_of_store() {
    let Some((_postgres, server)) = databases().await else { return };
    let redis = match tokio::task::spawn_blocking(TestRedis::start).await.unwrap() {
        Ok(redis) => redis,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let folder = tempfile::tempdir().unwrap();
    play(&server, &made_up_year(folder.path()), 50).await;
    let scratch = Scratch::create(&server).await.unwrap();
    assert!(scratch.copy_sources().await.unwrap() > 100);
    scratch.copy_clicks(&[]).await.unwrap();
    let mut connection = scratch.connect().await.unwrap();

    // The stores are filled by hand, as a correct engine would have filled them.
    let sql = "SELECT sku, sum(quantity)::bigint AS units, sum(quantity * unit_price) AS value, max(placed_at) AS last
                 FROM order_items JOIN orders ON orders.id = order_id GROUP BY sku";
    let mut orders = server.connect("orders").await.unwrap();
    let right: Vec<(String, i64, Decimal, chrono::DateTime<Utc>)> = sqlx::query_as(sql).fetch_all(&mut orders).await.unwrap();
    let row = |(sku, units, value, last): &(String, i64, Decimal, chrono::DateTime<Utc>)| json!({ "sku": sku, "units": units, "value": value.to_string(), "last": last.to_rfc3339_opts(chrono::SecondsFormat::Secs, true) });
    let rows = Rows(right.iter().map(row).collect());
    let client = redis::Client::open(redis.url()).unwrap();
    let mut documents = client.get_multiplexed_async_connection().await.unwrap();
    for (sold, document) in right.iter().zip(&rows.0) {
        let _: () = redis::cmd("SET").arg(format!("sold:{}", sold.0)).arg(document.to_string()).query_async(&mut documents).await.unwrap();
        let _: () =
            redis::cmd("ZADD").arg(format!("by:{}", &sold.0[..4])).arg(sold.1).arg(&sold.0).query_async(&mut documents).await.unwrap();
    }
    let mut reporting = server.connect("reporting").await.unwrap();
    sqlx::query("CREATE TABLE sold (sku text PRIMARY KEY, units bigint, value numeric, last timestamp, epoch bigint)")
        .execute(&mut reporting)
        .await
        .unwrap();
    for (sku, units, value, last) in &right {
        let insert = sqlx::query("INSERT INTO sold VALUES ($1, $2, $3, $4, 1)").bind(sku).bind(units).bind(value).bind(last.naive_utc());
        insert.execute(&mut reporting).await.unwrap();
    }

    let sets = "SELECT left(sku, 4) AS shelf, sku, sum(quantity)::bigint AS units FROM order_items GROUP BY sku";
    let sorted = [
        ("target", "sorted_set"),
        ("target.key_prefix", "by:"),
        ("target.key_column", "shelf"),
        ("target.member_column", "sku"),
        ("target.score_column", "units"),
    ];
    let stores = [
        (store("a.view", "view", &["sku"], &[]), sql),
        (store("a.documents", "redis", &["sku"], &[("target", "json"), ("target.key_prefix", "sold:")]), sql),
        (store("a.table", "postgres", &["sku"], &[("database", "reporting"), ("table", "sold")]), sql),
        (store("a.sets", "redis", &["shelf", "sku"], &sorted), sets),
    ];
    let mut readers = Readers { server: &server, redis: documents.clone(), dump: &rows };
    for (store, sql) in &stores {
        let report = verify::check(&mut connection, &mut readers, store, sql).await.unwrap();
        let outcome = report.outcome.unwrap();
        assert!(outcome.is_equal() && outcome.expected_rows == right.len() as u64, "{}: {outcome:?}", store.name);
    }

    // One wrong value, one row too many, one too few in each.
    let (wrong, missing) = (&right[0].0, &right[1].0);
    let mut planted: Vec<Value> = rows.0.iter().filter(|row| row["sku"] != missing.as_str()).cloned().collect();
    planted[0]["units"] = json!(-99);
    planted.push(json!({ "sku": "nobody", "units": 1 }));
    let planted = Rows(planted);
    let document = json!({ "sku": wrong, "units": -99, "value": "0", "last": null });
    let _: () = redis::pipe()
        .set(format!("sold:{wrong}"), document.to_string())
        .set("sold:nobody", "{\"sku\":\"nobody\"}")
        .del(format!("sold:{missing}"))
        .zadd(format!("by:{}", &wrong[..4]), wrong, -99)
        .zadd("by:none", "nobody", 1)
        .zrem(format!("by:{}", &missing[..4]), missing)
        .query_async(&mut documents)
        .await
        .unwrap();
    for (statement, sku) in [("UPDATE sold SET units = -99 WHERE sku = $1", wrong), ("DELETE FROM sold WHERE sku = $1", missing)] {
        sqlx::query(statement).bind(sku).execute(&mut reporting).await.unwrap();
    }
    sqlx::query("INSERT INTO sold (sku) VALUES ('nobody')").execute(&mut reporting).await.unwrap();
    let mut readers = Readers { server: &server, redis: documents, dump: &planted };
    for (store, sql) in &stores {
        let report = verify::check(&mut connection, &mut readers, store, sql).await.unwrap();
        assert!(report.is_different());
        let outcome = report.outcome.unwrap();
        assert_eq!((outcome.missing, outcome.unexpected, outcome.changed), (1, 1, 1), "{}: {outcome:?}", store.name);
        let found = outcome.first.iter().find(|difference| difference.column.as_deref() == Some("units")).unwrap();
        assert!(found.key.contains(wrong.as_str()) && found.found.as_deref() == Some("-99"), "{found:?}");
    }
    drop(connection);
    scratch.drop().await.unwrap();
}
