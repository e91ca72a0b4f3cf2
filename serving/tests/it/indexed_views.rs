//! Indexes of views through SQL: the same rows with and without, after changes and a restart; EXPLAIN says which one is used.

use std::time::{Duration, Instant};

use crate::psql::{Shop, order};

/// Looked for through the index of `sku`, that of `quantity`, the key, and with an expression that no index knows.
const QUERIES: [(&str, &str); 4] = [
    ("SELECT order_id, line_no, quantity FROM mine.lines WHERE sku = '{sku}' ORDER BY 1, 2", "by index by_sku (sku)"),
    ("SELECT count(*), sum(quantity) FROM mine.lines WHERE quantity IN (1, 3, 100000)", "by index lines_quantity_sku_idx (quantity)"),
    (
        "SELECT order_id, line_no FROM mine.lines WHERE quantity = 2 AND sku > '{sku}' ORDER BY 1, 2",
        "by index lines_quantity_sku_idx (quantity, sku)",
    ),
    ("SELECT sku FROM mine.lines WHERE order_id = '{order}' ORDER BY line_no", "by key (order_id)"),
];

fn check(shop: &Shop, when: &str) {
    let sku = shop.ask("SELECT sku FROM mine.lines GROUP BY sku ORDER BY count(*) DESC, sku LIMIT 1");
    let id = shop.ask("SELECT order_id FROM mine.lines ORDER BY order_id LIMIT 1");
    for (query, how) in QUERIES {
        let query = query.replace("{sku}", &sku).replace("{order}", &id);
        let plan = shop.ask(&format!("EXPLAIN {query}"));
        assert!(plan.contains(&format!("ViewScan: mine.lines, {how}")), "{when}: {query}: {plan}");
        // The same in words that no index helps with.
        let without = query
            .replace("sku = '", "substr(sku, 1) = '")
            .replace("sku > '", "substr(sku, 1) > '")
            .replace("order_id = '", "substr(order_id, 1) = '");
        let without = without.replace("quantity IN", "quantity % 100000 IN").replace("quantity = 2", "quantity % 100000 = 2");
        assert!(shop.ask(&format!("EXPLAIN {without}")).contains("all rows"), "{without}");
        let found = shop.ask(&query);
        assert!(!found.is_empty(), "{when}: {query}");
        assert_eq!(found, shop.ask(&without), "{when}: {query}");
    }
}

#[test]
fn indexes_are_used_and_kept() {
    let shop = Shop::start();
    let analyst = |sql: &str| shop.as_user("analyst", sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let view = "CREATE MATERIALIZED VIEW mine.lines AS SELECT order_id, line_no, sku, quantity FROM order_items";
    analyst(view);
    assert!(analyst("CREATE INDEX by_sku ON mine.lines (sku)").contains("CREATE INDEX"));
    analyst("CREATE INDEX ON mine.lines (quantity, sku)");
    assert!(analyst("CREATE INDEX IF NOT EXISTS by_sku ON mine.lines (quantity)").contains("skipping"));
    check(&shop, "at first");
    order(shop.home.path());
    check(&shop, "after orders");
    let listed = "SELECT index_name, columns, is_primary, is_complete FROM chimera.indexes WHERE view_schema = 'mine' ORDER BY 1";
    let all = "by_sku|sku|f|t\nlines_pkey|order_id, line_no|t|t\nlines_quantity_sku_idx|quantity, sku|f|t";
    assert_eq!(analyst(listed), all);

    // Of a bundled view, whose key is looked up without one.
    let plan = shop.ask("EXPLAIN SELECT * FROM sales.by_country WHERE country IN ('Norway', 'France')");
    assert!(plan.contains("ViewScan: sales.by_country, by key (country)"), "{plan}");
    shop.ask("CREATE INDEX by_orders ON sales.by_country (orders)");
    assert!(shop.ask("EXPLAIN SELECT * FROM sales.by_country WHERE orders >= 3").contains("by index by_orders (orders)"));
    let refused = |user: &str, sql: &str| shop.as_user(user, sql).expect_err(sql);
    assert!(refused("analyst", "DROP INDEX sales.by_orders").contains("belongs to operator"));
    assert!(refused("reader", "DROP INDEX mine.by_sku").contains("may only read"));
    assert!(refused("analyst", "DROP INDEX mine.nothing").contains("does not exist"));
    assert!(refused("analyst", "CREATE INDEX \"a b\" ON mine.lines (sku)").contains("cannot be called"));
    assert!(analyst("DROP INDEX IF EXISTS mine.nothing").contains("skipping"));

    // After a power cut they are there, and go on.
    let home = shop.kill();
    let shop = Shop::start_in(home);
    let deadline = Instant::now() + Duration::from_secs(60);
    while shop.ask(listed) != all {
        assert!(Instant::now() < deadline, "{}", shop.ask(listed));
        std::thread::sleep(Duration::from_millis(200));
    }
    check(&shop, "after a restart");
    order(shop.home.path());
    check(&shop, "after a restart and orders");
    // Another query in its place keeps those whose columns it has.
    shop.ask("CREATE OR REPLACE MATERIALIZED VIEW mine.lines AS SELECT order_id, line_no, sku FROM order_items");
    let kept = || shop.ask("SELECT index_name FROM chimera.indexes WHERE view_schema = 'mine' AND NOT is_primary AND is_complete");
    while kept() != "by_sku" {
        assert!(Instant::now() < deadline + Duration::from_secs(60), "{}", kept());
        std::thread::sleep(Duration::from_millis(200));
    }
    shop.ask("DROP INDEX mine.by_sku");
    assert!(shop.ask("EXPLAIN SELECT * FROM mine.lines WHERE sku = 'a'").contains("all rows"));
}
