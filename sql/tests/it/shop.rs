//! The queries of a shop, with views that several INSERTs read.

use crate::data::Shop;
use crate::harness::{Bag, Shape, check, config, integrate, push_all, sources};
use chimera_sql::{DataflowConfig, Functions, Program};

const SHAPES: &[Shape] = &[
    Shape::new("stock levels", "SELECT sku, received, sold, returned, received - sold + returned AS available FROM levels").with_views(&[
        (
            "movements",
            "SELECT sku, CAST(cents AS BIGINT) AS received, CAST(0 AS BIGINT) AS sold, CAST(0 AS BIGINT) AS returned FROM variants \
             UNION ALL SELECT sku, CAST(0 AS BIGINT), CAST(CASE WHEN quantity > 0 THEN quantity ELSE 0 END AS BIGINT), \
             CAST(CASE WHEN quantity < 0 THEN -quantity ELSE 0 END AS BIGINT) FROM items",
        ),
        ("levels", "SELECT sku, sum(received) AS received, sum(sold) AS sold, sum(returned) AS returned FROM movements GROUP BY sku"),
    ]),
    Shape::new(
        "search documents",
        "SELECT p.id, p.sku, p.name, b.name AS brand, c.name AS category, coalesce(l.available, 0) AS available, \
         coalesce(u.units, 0) AS popularity, coalesce(v.variants, '[]') AS variants, x.first_variant \
         FROM products p LEFT JOIN brands b ON b.id = p.brand_id LEFT JOIN categories c ON c.id = p.category_id \
         LEFT JOIN levels l ON l.sku = p.sku LEFT JOIN units u ON u.sku = p.sku LEFT JOIN lists v ON v.product_id = p.id \
         LEFT JOIN firsts x ON x.product_id = p.id WHERE p.active",
    )
    .with_views(&[
        ("levels", "SELECT sku, sum(CAST(-quantity AS BIGINT)) AS available FROM items GROUP BY sku"),
        ("units", "SELECT sku, sum(quantity) AS units FROM items WHERE quantity > 0 GROUP BY sku"),
        (
            "lists",
            "SELECT product_id, '[' || string_agg(concat('{', sku, ':', CAST(cents AS TEXT), '}'), ',' ORDER BY sku, id) || ']' AS variants \
             FROM variants GROUP BY product_id",
        ),
        (
            "firsts",
            "SELECT product_id, id AS first_variant FROM (SELECT product_id, id, row_number() OVER (PARTITION BY product_id \
             ORDER BY cents, id) AS rn FROM variants) WHERE rn <= 1",
        ),
    ]),
    Shape::new(
        "bought together",
        "SELECT sku, other_sku, orders FROM (SELECT sku, other_sku, orders, row_number() OVER (PARTITION BY sku ORDER BY orders DESC, \
         other_sku) AS rn FROM related) WHERE rn <= 4",
    )
    .with_views(&[
        ("lines", "SELECT DISTINCT order_id, sku FROM items WHERE quantity > 0 AND sku IS NOT NULL"),
        ("sizes", "SELECT order_id, count(*) AS skus FROM lines GROUP BY order_id"),
        ("baskets", "SELECT l.order_id, l.sku FROM lines l JOIN sizes s ON s.order_id = l.order_id WHERE s.skus BETWEEN 2 AND 20"),
        (
            "pairs",
            "SELECT a.sku AS sku, b.sku AS other_sku, count(*) AS orders FROM baskets a JOIN baskets b ON b.order_id = a.order_id \
             AND a.sku < b.sku GROUP BY a.sku, b.sku",
        ),
        ("related", "SELECT sku, other_sku, orders FROM pairs UNION ALL SELECT other_sku, sku, orders FROM pairs"),
    ]),
    Shape::new(
        "sales by minute",
        "SELECT date_bin(INTERVAL '1 minute', o.placed_at) AS minute, count(DISTINCT o.id) AS orders, count(*) AS lines, \
         sum(i.quantity) AS units, sum(i.quantity * i.price) AS revenue, CAST(sum(i.quantity * i.price) AS DOUBLE) / count(DISTINCT o.id) \
         AS basket FROM orders o JOIN items i ON i.order_id = o.id JOIN products p ON p.sku = i.sku \
         GROUP BY date_bin(INTERVAL '1 minute', o.placed_at)",
    ),
    Shape::new(
        "top products",
        "SELECT l.rn, l.sku, p.name, l.units, l.revenue FROM leaders l LEFT JOIN products p ON p.sku = l.sku",
    )
    .with_views(&[
        ("sku_sales", "SELECT sku, sum(quantity) AS units, CAST(sum(quantity * price) AS DECIMAL(20, 3)) AS revenue FROM items GROUP BY sku"),
        (
            "leaders",
            "SELECT rn, sku, units, revenue FROM (SELECT sku, units, revenue, row_number() OVER (ORDER BY revenue DESC NULLS LAST, sku \
             NULLS LAST) AS rn FROM sku_sales) WHERE rn <= 5",
        ),
    ]),
    Shape::new(
        "totals in one row",
        "SELECT t.id, t.lines, t.orders, s.skus, t.customers, t.revenue FROM order_totals t JOIN sku_totals s ON s.id = t.id",
    )
    .with_views(&[
        (
            "order_totals",
            "SELECT 1 AS id, count(*) AS lines, count(DISTINCT o.id) AS orders, count(DISTINCT o.customer) AS customers, \
             CAST(coalesce(sum(i.quantity * i.price), 0) AS DECIMAL(20, 3)) AS revenue FROM orders o JOIN items i ON i.order_id = o.id",
        ),
        ("sku_totals", "SELECT 1 AS id, count(DISTINCT sku) AS skus FROM items"),
    ]),
];

#[test]
fn the_shop_queries_equal_a_fresh_computation() {
    for (index, shape) in SHAPES.iter().enumerate() {
        check(shape, 1, 900 + index as u64);
        check(shape, 2, 950 + index as u64);
    }
}

const SHARED: &str = "
CREATE VIEW levels AS SELECT sku, sum(quantity) AS q, count(*) AS n FROM items GROUP BY sku;
CREATE TABLE a (sku TEXT PRIMARY KEY, q BIGINT) WITH (type = 'sink');
CREATE TABLE b (sku TEXT PRIMARY KEY, q BIGINT, n BIGINT) WITH (type = 'sink');
CREATE TABLE c (sku TEXT PRIMARY KEY, q BIGINT) WITH (type = 'sink');
INSERT INTO a SELECT sku, q FROM levels WHERE sku IS NOT NULL;
INSERT INTO b SELECT sku, q, n FROM levels WHERE n > 2 AND sku IS NOT NULL;
INSERT INTO c SELECT sku, q FROM levels WHERE sku = 's1';
INSERT INTO c SELECT sku, q FROM levels WHERE sku = 's2';
";

#[test]
fn a_view_that_several_inserts_read_is_computed_once() {
    let program = Program::parse(&(sources() + SHARED), &Functions::new()).unwrap();
    assert_eq!(program.explain().matches("aggregate by").count(), 1, "{}", program.explain());
    let mut dataflow = program.start(config(2, None)).unwrap();
    let mut shop = Shop::new(77);
    let (mut a, mut b, mut c) = (Bag::new(), Bag::new(), Bag::new());
    let query = |query| Shape::new("shared", query);
    for _ in 0..6 {
        push_all(&mut dataflow, &mut shop, false);
        let outputs = dataflow.step().unwrap();
        integrate(&outputs, "a", &mut a);
        integrate(&outputs, "b", &mut b);
        integrate(&outputs, "c", &mut c);
        assert_eq!(a, query("SELECT sku, sum(quantity) FROM items WHERE sku IS NOT NULL GROUP BY sku").afresh(&shop));
        let expected = "SELECT sku, sum(quantity), count(*) FROM items WHERE sku IS NOT NULL GROUP BY sku HAVING count(*) > 2";
        assert_eq!(b, query(expected).afresh(&shop));
        assert_eq!(c, query("SELECT sku, sum(quantity) FROM items WHERE sku IN ('s1', 's2') GROUP BY sku").afresh(&shop));
    }
    dataflow.stop();
}

#[test]
fn more_columns_than_declared_may_be_pushed_and_unread_tables_too() {
    let sql = "CREATE TABLE orders (id TEXT, country TEXT); CREATE TABLE brands (id TEXT);
               CREATE TABLE out (country TEXT PRIMARY KEY, n BIGINT) WITH (type = 'sink');
               INSERT INTO out SELECT country, count(*) FROM orders GROUP BY country;";
    let program = Program::parse(sql, &Functions::new()).unwrap();
    let mut dataflow = program.start(DataflowConfig::default()).unwrap();
    let mut shop = Shop::new(3);
    for (table, delta) in shop.change(false) {
        if table == "orders" || table == "brands" {
            dataflow.push(table, delta).unwrap();
        } else {
            let error = dataflow.push(table, delta).unwrap_err().to_string();
            assert!(error.contains(&format!("no input table `{table}`")), "{error}");
        }
    }
    let mut bag = Bag::new();
    integrate(&dataflow.step().unwrap(), "out", &mut bag);
    assert_eq!(bag, Shape::new("countries", "SELECT country, count(*) FROM orders GROUP BY country").afresh(&shop));
    dataflow.stop();
}
