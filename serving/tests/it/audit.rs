//! The audit trail of a running platform, replayed by `chimera verify`.

use std::collections::BTreeSet;

use chimera_local::{TestPostgres, TestRedis};
use chimera_serving::shop::databases::Server;
use serde_json::{Value, json};

use crate::platform::Platform;

/// Rows that came, changed, changed their key and went.
const CHANGES: [(&str, &str); 3] = [
    (
        "catalog",
        "UPDATE brands SET description = 'once' WHERE name = (SELECT min(name) FROM brands);
         UPDATE brands SET description = 'twice' WHERE description = 'once';
         UPDATE products SET name = 'Renamed' WHERE sku = (SELECT min(sku) FROM products);
         UPDATE product_variants SET attributes = '{\"colour\": \"blue \\\"sky\\\"\", \"sizes\": [1, 2.50]}', price_cents = 7
          WHERE variant_sku = (SELECT min(variant_sku) FROM product_variants);
         INSERT INTO categories (name) VALUES ('Passing');
         DELETE FROM categories WHERE name = 'Passing'",
    ),
    ("orders", "DELETE FROM order_items WHERE order_id = (SELECT order_id FROM order_items LIMIT 1)"),
    ("inventory", "UPDATE reorder_points SET sku = 'another' WHERE sku = (SELECT min(sku) FROM reorder_points)"),
];

/// One change in the middle of a row's history, a last one, an only one, and the end of a row that went.
const LOST: &str = "DELETE FROM audit WHERE (topic = 'catalog.public.brands' AND op = 'u' AND after LIKE '%once%')
    OR (topic = 'catalog.public.products' AND op = 'u')
    OR (topic = 'catalog.public.categories' AND op = 'd')
    OR (topic = 'inventory.public.stock_movements'
        AND \"offset\" = (SELECT min(\"offset\") FROM audit WHERE topic = 'inventory.public.stock_movements'))";

/// What somebody may do to a table, how it is undone, and what is said of it.
const TOUCHED: [(&str, &str, &str); 3] = [
    (
        "UPDATE audit SET after = replace(after, 'once', 'ONCE') WHERE topic = 'catalog.public.brands' AND op = 'u' AND after LIKE '%once%'",
        "UPDATE audit SET after = replace(after, 'ONCE', 'once') WHERE topic = 'catalog.public.brands'",
        "was changed",
    ),
    (
        "UPDATE audit SET topic = 'kept' WHERE topic = 'catalog.public.brands' AND op = 'u' AND after LIKE '%once%'",
        "UPDATE audit SET topic = 'catalog.public.brands' WHERE topic = 'kept'",
        "gone",
    ),
    (
        "INSERT INTO audit (topic, \"offset\", op) SELECT topic, -1, 'd' FROM audit WHERE topic = 'catalog.public.brands' LIMIT 1",
        "DELETE FROM audit WHERE \"offset\" = -1",
        "added",
    ),
];

#[tokio::test]
async fn the_audit_trail_leads_to_the_tables_and_a_lost_row_is_found() {
    let started =
        tokio::task::spawn_blocking(|| Ok::<_, chimera_local::Error>((TestPostgres::start()?, TestRedis::start()?))).await.unwrap();
    let (postgres, redis) = match started {
        Ok(servers) => servers,
        Err(error) if error.is_missing() => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let url = postgres.url("postgres");
    let server = Server::new(&url).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start(folder.path(), &["--database-url", &url, "--redis-url", &redis.url()]);
    for (database, statements) in CHANGES {
        for statement in statements.split(';') {
            sqlx::query(statement).execute(&mut server.connect(database).await.unwrap()).await.unwrap();
        }
    }
    let outcome = |verified: &Value| verified["stores"][0]["outcome"].clone();
    let verified = platform.verify(Some("audit.changes"));
    let whole = outcome(&verified);
    assert_eq!(verified["equal"], true, "{verified:#}");
    assert!(whole["found_rows"].as_u64().unwrap() > 3_000, "{whole}");

    // Accounts are in it, without what is secret or would have to be forgotten.
    let account = json!({ "email": "audited@example.com", "password": "correct horse battery" });
    let registered = reqwest::Client::new().post(format!("{}/api/v1/auth/register", platform.url())).json(&account).send().await.unwrap();
    assert_eq!(registered.status(), 201);
    let mut auth = server.connect("auth").await.unwrap();
    let account: String = sqlx::query_scalar("SELECT user_id::text FROM credentials").fetch_one(&mut auth).await.unwrap();
    platform.sealed_after(|| platform.trail(&["list", "--row", &account])["changes"][0].is_object()).await;
    let trail = platform.trail(&["list", "--row", &account]);
    let created = trail["changes"].as_array().unwrap().last().unwrap();
    assert_eq!((&created["topic"], &created["op"]), (&json!("auth.public.credentials"), &json!("c")), "{trail:#}");
    let columns: Vec<&String> = created["after"].as_object().unwrap().keys().collect();
    assert_eq!(columns, ["created_at", "disabled_at", "email_verified_at", "role", "totp_enabled_at", "updated_at", "user_id"]);
    let renamed = platform.trail(&["list", "--topic", "catalog.public.products", "--limit", "1"]);
    assert_eq!(renamed["changes"][0]["after"]["name"], "Renamed", "{renamed:#}");

    let sealed = platform.sealed_after(|| true).await;
    assert_eq!((&sealed["whole"], &sealed["faults"]), (&json!(true), &json!(0)), "{sealed:#}");
    let mut reporting = server.connect("reporting").await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM audit").fetch_one(&mut reporting).await.unwrap();
    assert_eq!(sealed["sealed"], rows);
    let head = format!("{}:{}", sealed["head"]["number"], sealed["head"]["hash"].as_str().unwrap());
    assert_eq!(platform.trail(&["verify", "--head", &head])["whole"], true);
    let forged = format!("{}:{}", sealed["head"]["number"], "0".repeat(64));
    assert_eq!(platform.trail(&["verify", "--head", &forged])["faults"], 1);
    for (touched, undone, what) in TOUCHED {
        assert_eq!(sqlx::query(touched).execute(&mut reporting).await.unwrap().rows_affected(), 1, "{touched}");
        let found = platform.trail(&["verify"]);
        assert_eq!(found["faults"], 1, "{touched}: {found:#}");
        assert_eq!(found["first"][0]["topic"], "catalog.public.brands");
        assert!(found["first"][0]["what"].as_str().unwrap().contains(what), "{found:#}");
        sqlx::query(undone).execute(&mut reporting).await.unwrap();
        assert_eq!(platform.trail(&["verify"])["whole"], true);
    }

    let lost = sqlx::query(LOST).execute(&mut server.connect("reporting").await.unwrap()).await.unwrap();
    assert_eq!(lost.rows_affected(), 4);
    let touched = platform.trail(&["verify"]);
    let topics: BTreeSet<&str> = touched["first"].as_array().unwrap().iter().map(|fault| fault["topic"].as_str().unwrap()).collect();
    assert_eq!(topics.len(), 4, "{touched:#}");
    let verified = platform.verify(Some("audit.changes"));
    let lacking = outcome(&verified);
    assert_eq!(verified["equal"], false);
    assert_eq!((&lacking["missing"], &lacking["unexpected"], &lacking["changed"]), (&json!(1), &json!(1), &json!(2)), "{lacking:#}");
    let found = |key: &str, column: Option<&str>| {
        let differences = lacking["first"].as_array().unwrap();
        let is = |difference: &&Value| difference["key"].as_str().unwrap().starts_with(key) && difference["column"].as_str() == column;
        differences.iter().find(is).unwrap_or_else(|| panic!("nothing about {key}: {lacking:#}")).clone()
    };
    let brand = found("catalog.public.brands", Some("before.description"));
    assert!(brand["key"].as_str().unwrap().contains(" at offset ") && brand["found"] == "once", "{brand}");
    assert_eq!(found("catalog.public.products", Some("name"))["expected"], "Renamed");
    assert!(found("catalog.public.categories", None)["found"].as_str().unwrap().contains("Passing"));
    assert_eq!(found("inventory.public.stock_movements", None)["found"], Value::Null);
}
