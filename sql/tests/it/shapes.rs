//! One query a feature, under random inserts, updates and deletes, with one and two workers, and a restart in between.

use crate::harness::{Shape, check};

pub const SHAPES: &[Shape] = &[
    Shape::new("filter and project", "SELECT order_id, quantity * 2 + 1 AS q, upper(sku) AS s FROM items WHERE quantity > 1 AND sku <> 's3'"),
    Shape::new("case, in, like", "SELECT CASE WHEN quantity > 4 THEN 'many' ELSE sku END AS k, line_no FROM items WHERE sku LIKE 's%1' OR line_no IN (1, 2)"),
    Shape::new("inner join", "SELECT o.id, o.country, i.sku, i.price FROM orders o JOIN items i ON i.order_id = o.id"),
    Shape::new("inner join with condition", "SELECT o.id, i.sku FROM orders o JOIN items i ON i.order_id = o.id AND i.quantity > length(o.country) - 6"),
    Shape::new("join by two columns", "SELECT a.order_id, b.sku, a.price FROM items a JOIN items b ON a.order_id = b.order_id AND a.line_no = b.line_no"),
    Shape::new("join on expressions", "SELECT p.name, i.line_no FROM products p JOIN items i ON upper(p.sku) = upper(i.sku)"),
    Shape::new("cross join", "SELECT b.name, c.name AS other FROM brands b CROSS JOIN categories c"),
    Shape::new("left join", "SELECT p.id, p.name, c.name AS category, c.id AS category_id FROM products p LEFT JOIN categories c ON c.id = p.category_id"),
    Shape::new("left join with condition", "SELECT p.id, i.order_id, i.quantity FROM products p LEFT JOIN items i ON i.sku = p.sku AND i.quantity > length(p.name) - 3"),
    Shape::new("left join with one-sided conditions", "SELECT p.id, p.active, i.order_id FROM products p LEFT JOIN items i ON i.sku = p.sku AND p.active AND i.line_no = 0"),
    Shape::new("right join", "SELECT c.name, p.id, p.category_id FROM products p RIGHT JOIN categories c ON c.id = p.category_id"),
    Shape::new("full join", "SELECT p.id, p.category_id, c.id AS cid, c.name FROM products p FULL JOIN categories c ON c.id = p.category_id"),
    Shape::new("full join with condition", "SELECT p.id, c.id AS cid FROM products p FULL JOIN categories c ON c.id = p.category_id AND length(c.name) > length(p.name)"),
    Shape::new("exists and in", "SELECT p.id FROM products p WHERE EXISTS (SELECT 1 FROM items i WHERE i.sku = p.sku AND i.quantity > 2) AND p.category_id IN (SELECT id FROM categories)"),
    Shape::new("not exists", "SELECT p.id, p.name FROM products p WHERE NOT EXISTS (SELECT 1 FROM items i WHERE i.sku = p.sku)"),
    Shape::new("group by", "SELECT sku, count(*) AS n, count(price) AS priced, sum(quantity) AS q, sum(price) AS p, avg(quantity) AS a, avg(price) AS ap FROM items GROUP BY sku"),
    Shape::new("group by expressions", "SELECT length(sku) AS l, quantity % 3 AS r, sum(quantity * price) AS revenue FROM items GROUP BY length(sku), quantity % 3"),
    Shape::new("having", "SELECT sku, sum(quantity) AS q FROM items GROUP BY sku HAVING count(*) > 3 AND sum(quantity) > 8"),
    Shape::new("min and max", "SELECT sku, min(price) AS low, count(*) AS n, max(price) AS high, min(order_id) AS first, max(quantity) AS most FROM items GROUP BY sku"),
    Shape::new("count distinct", "SELECT order_id, count(DISTINCT sku) AS skus, count(*) AS lines, max(line_no) AS last FROM items GROUP BY order_id"),
    Shape::new("filtered aggregates", "SELECT sku, count(*) FILTER (WHERE quantity > 2) AS n, sum(quantity) FILTER (WHERE line_no = 1) AS q, min(price) FILTER (WHERE quantity < 0) AS p, count(DISTINCT order_id) FILTER (WHERE price > 10) AS o FROM items GROUP BY sku"),
    Shape::new("string_agg in order", "SELECT product_id, string_agg(sku, ',' ORDER BY cents DESC, id) AS skus, count(*) AS n, min(cents) AS low FROM variants GROUP BY product_id"),
    Shape::new("array_agg in order", "SELECT product_id, array_agg(sku ORDER BY sku, id) AS skus FROM variants GROUP BY product_id"),
    Shape::new("distinct and filtered aggregates of rows", "SELECT order_id, sum(DISTINCT quantity) AS s, string_agg(DISTINCT sku, '+' ORDER BY sku) AS k, string_agg(sku, '-' ORDER BY line_no DESC) FILTER (WHERE quantity > 0) AS f FROM items GROUP BY order_id")
        // DataFusion itself takes one order a query.
        .equals("SELECT a.order_id, a.s, a.k, b.f FROM (SELECT order_id, sum(DISTINCT quantity) AS s, string_agg(DISTINCT sku, '+' ORDER BY sku) AS k FROM items GROUP BY order_id) AS a JOIN (SELECT order_id, string_agg(sku, '-' ORDER BY line_no DESC) FILTER (WHERE quantity > 0) AS f FROM items GROUP BY order_id) AS b ON a.order_id = b.order_id"),
    Shape::new("distinct on", "SELECT DISTINCT ON (sku) sku, order_id, line_no FROM items ORDER BY sku, price DESC NULLS LAST, order_id, line_no"),
    Shape::new("floating point aggregates", "SELECT sku, sum(CAST(price AS DOUBLE)) AS s, avg(CAST(quantity AS DOUBLE)) AS a, stddev(quantity) AS d, count(*) AS n FROM items GROUP BY sku"),
    Shape::new("aggregates without groups", "SELECT count(*) AS n, sum(quantity) AS q, count(DISTINCT sku) AS skus, max(price) AS high, min(sku) AS first FROM items"),
    Shape::new("rows without groups", "SELECT string_agg(name, ';' ORDER BY name, id) AS names, count(*) AS n FROM brands"),
    Shape::new("count without groups after filter", "SELECT 7 AS seven, count(*) AS n, coalesce(sum(quantity), 0) AS q FROM items WHERE quantity > 6"),
    Shape::new("distinct", "SELECT DISTINCT sku, quantity > 2 AS many FROM items"),
    Shape::new("union all", "SELECT sku, quantity FROM items UNION ALL SELECT sku, 1 FROM products WHERE active"),
    Shape::new("union", "SELECT sku FROM items WHERE quantity > 3 UNION SELECT sku FROM products"),
    Shape::new("intersect", "SELECT sku FROM items INTERSECT SELECT sku FROM products WHERE active"),
    Shape::new("except", "SELECT sku FROM items EXCEPT SELECT sku FROM products WHERE active"),
    Shape::new("with", "WITH big AS (SELECT order_id, sum(quantity) AS q FROM items GROUP BY order_id), top AS (SELECT * FROM big WHERE q > 5) SELECT o.country, t.q, b.q AS again FROM top t JOIN orders o ON o.id = t.order_id JOIN big b ON b.order_id = t.order_id"),
    Shape::new("scalar subquery", "SELECT sku, quantity FROM items WHERE quantity > (SELECT avg(quantity) FROM items)"),
    Shape::new("correlated scalar subquery", "SELECT o.id, (SELECT count(*) FROM items i WHERE i.order_id = o.id) AS lines FROM orders o"),
    Shape::new("top per group", "SELECT sku, order_id, quantity, rn FROM (SELECT sku, order_id, line_no, quantity, row_number() OVER (PARTITION BY sku ORDER BY quantity DESC, order_id, line_no) AS rn FROM items) WHERE rn <= 3"),
    Shape::new("first per group", "SELECT sku, order_id FROM (SELECT *, row_number() OVER (PARTITION BY sku ORDER BY price DESC NULLS LAST, order_id, line_no) AS rn FROM items) WHERE rn = 1"),
    Shape::new("all numbered", "SELECT id, name, row_number() OVER (ORDER BY name, id) AS rn FROM products"),
    Shape::new("rank", "SELECT sku, quantity, order_id, line_no, r FROM (SELECT *, rank() OVER (PARTITION BY sku ORDER BY quantity DESC) AS r FROM items) WHERE r < 3"),
    Shape::new("dense_rank", "SELECT sku, quantity, order_id, line_no, r FROM (SELECT *, dense_rank() OVER (PARTITION BY sku ORDER BY quantity) AS r FROM items) WHERE r BETWEEN 1 AND 2"),
    Shape::new("two numberings", "SELECT id, row_number() OVER (ORDER BY name, id) AS a, row_number() OVER (PARTITION BY brand_id ORDER BY id DESC) AS b FROM products"),
    Shape::new("order by limit", "SELECT sku, quantity, order_id, line_no FROM items ORDER BY quantity DESC, order_id, line_no LIMIT 7"),
    Shape::new("order by limit offset", "SELECT order_id, line_no, price FROM items ORDER BY price NULLS FIRST, order_id DESC, line_no LIMIT 5 OFFSET 3"),
    Shape::new("limit on aggregates", "SELECT sku, sum(quantity) AS q FROM items WHERE sku IS NOT NULL GROUP BY sku ORDER BY q DESC, sku LIMIT 3"),
    Shape::new("date_bin", "SELECT date_bin(INTERVAL '1 minute', placed_at) AS minute, count(*) AS n, count(DISTINCT customer) AS c FROM orders GROUP BY date_bin(INTERVAL '1 minute', placed_at)"),
    Shape::new("tumble", "SELECT w.\"start\" AS s, w.\"end\" AS e, n FROM (SELECT tumble(INTERVAL '2 minutes') AS w, count(*) AS n FROM orders GROUP BY 1) AS q")
        .equals("SELECT s, s + INTERVAL '2 minutes' AS e, n FROM (SELECT date_bin(INTERVAL '2 minutes', placed_at) AS s, count(*) AS n FROM orders GROUP BY 1) AS q"),
    Shape::new("hop", "SELECT w.\"start\" AS s, w.\"end\" AS e, n, c FROM (SELECT hop(INTERVAL '1 minute', INTERVAL '3 minutes') AS w, count(*) AS n, count(DISTINCT customer) AS c FROM orders GROUP BY 1) AS q")
        .equals("SELECT s, s + INTERVAL '3 minutes' AS e, count(*) AS n, count(DISTINCT customer) AS c FROM (SELECT customer, date_bin(INTERVAL '1 minute', placed_at) - back AS s FROM orders CROSS JOIN (VALUES (INTERVAL '0 minutes'), (INTERVAL '1 minute'), (INTERVAL '2 minutes')) AS v(back)) AS q GROUP BY s"),
    Shape::new("session", "SELECT country, w.\"start\" AS s, w.\"end\" AS e, n FROM (SELECT country, session(INTERVAL '40 seconds') AS w, count(*) AS n FROM orders GROUP BY country, session(INTERVAL '40 seconds')) AS q")
        .equals("SELECT country, min(at) AS s, max(at) + INTERVAL '40 seconds' AS e, count(*) AS n FROM (SELECT country, at, sum(new) OVER (PARTITION BY country ORDER BY at) AS part FROM (SELECT country, placed_at AS at, CASE WHEN placed_at <= lag(placed_at) OVER (PARTITION BY country ORDER BY placed_at) + INTERVAL '40 seconds' THEN 0 ELSE 1 END AS new FROM orders) AS a) AS b GROUP BY country, part"),
    Shape::new("unnest", "SELECT id, part, count(*) AS n FROM (SELECT id, unnest(string_to_array(name, ' ')) AS part FROM products) AS q GROUP BY id, part"),
    Shape::new("unnest in from", "SELECT p.id, u.part, u.place FROM products p, unnest(string_to_array(p.name, ' ')) WITH ORDINALITY AS u(part, place)")
        .equals("SELECT id, unnest(string_to_array(name, ' ')) AS part, unnest(generate_series(1, CAST(array_length(string_to_array(name, ' ')) AS BIGINT))) AS place FROM products"),
    Shape::new("intersect all", "SELECT sku, quantity FROM items INTERSECT ALL SELECT sku, line_no FROM items")
        .equals("SELECT sku, n AS quantity FROM (SELECT sku, n, row_number() OVER (PARTITION BY sku, n) AS i FROM (SELECT sku, quantity AS n FROM items) AS a INTERSECT SELECT sku, n, row_number() OVER (PARTITION BY sku, n) AS i FROM (SELECT sku, line_no AS n FROM items) AS b) AS q"),
    Shape::new("except all", "SELECT sku FROM items EXCEPT ALL SELECT sku FROM products")
        .equals("SELECT sku FROM (SELECT sku, row_number() OVER (PARTITION BY sku) AS i FROM items EXCEPT SELECT sku, row_number() OVER (PARTITION BY sku) AS i FROM products) AS q"),
    Shape::new("grouping sets", "SELECT sku, line_no, grouping(sku) AS g, count(*) AS n, sum(price) AS p, min(order_id) AS first FROM items GROUP BY GROUPING SETS ((sku, line_no), (line_no), ())"),
    Shape::new("cube", "SELECT country, kind, count(DISTINCT customer) AS c, string_agg(id, ',' ORDER BY id) AS ids FROM orders GROUP BY CUBE (country, kind)"),
    Shape::new("not in", "SELECT order_id, line_no FROM items WHERE sku NOT IN (SELECT sku FROM products WHERE active)"),
    Shape::new("not in with nulls", "SELECT id FROM products WHERE category_id NOT IN (SELECT category_id FROM products WHERE brand_id = 'b1')"),
    Shape::new("not in of each row", "SELECT p.id FROM products p WHERE p.category_id NOT IN (SELECT q.category_id FROM products q WHERE q.brand_id = p.brand_id AND q.id <> p.id)")
        .equals("SELECT p.id FROM products p WHERE NOT EXISTS (SELECT 1 FROM products q WHERE q.brand_id = p.brand_id AND q.id <> p.id AND (q.category_id = p.category_id OR q.category_id IS NULL)) AND (p.category_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM products q WHERE q.brand_id = p.brand_id AND q.id <> p.id))"),
    Shape::new("exists or in", "SELECT p.id FROM products p WHERE EXISTS (SELECT 1 FROM items i WHERE i.sku = p.sku AND i.quantity > length(p.name)) OR p.category_id IN (SELECT id FROM categories WHERE name < 'category 2')"),
    Shape::new("membership as a value", "SELECT id, category_id IN (SELECT category_id FROM products WHERE brand_id = 'b1') AS c, EXISTS (SELECT 1 FROM items i WHERE i.sku = p.sku) AS e FROM products p")
        .equals("SELECT p.id, CASE WHEN s.n IS NULL THEN false WHEN p.category_id IS NULL THEN NULL WHEN m.category_id IS NOT NULL THEN true WHEN s.n > s.known THEN NULL ELSE false END AS c, i.sku IS NOT NULL AS e FROM products p LEFT JOIN (SELECT count(*) AS n, count(category_id) AS known FROM products WHERE brand_id = 'b1' HAVING count(*) > 0) AS s ON true LEFT JOIN (SELECT DISTINCT category_id FROM products WHERE brand_id = 'b1') AS m ON m.category_id = p.category_id LEFT JOIN (SELECT DISTINCT sku FROM items) AS i ON i.sku = p.sku"),
    Shape::new("running and moving aggregates", "SELECT order_id, line_no, sum(quantity) OVER (PARTITION BY sku ORDER BY order_id, line_no) AS s, avg(price) OVER (PARTITION BY sku ORDER BY order_id, line_no ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS a, count(*) OVER (PARTITION BY sku) AS n FROM items"),
    Shape::new("neighbours", "SELECT id, placed_at - lag(placed_at) OVER (PARTITION BY customer ORDER BY placed_at, id) > INTERVAL '1 minute' AS late, lead(id, 2, 'none') OVER (PARTITION BY customer ORDER BY placed_at, id) AS next, first_value(id) OVER (PARTITION BY customer ORDER BY placed_at, id) AS f, nth_value(kind, 2) OVER (PARTITION BY customer ORDER BY placed_at, id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS k FROM orders"),
    Shape::new("distribution", "SELECT id, ntile(4) OVER (ORDER BY cents NULLS FIRST, id) AS q, percent_rank() OVER (PARTITION BY product_id ORDER BY cents) AS p, cume_dist() OVER (PARTITION BY product_id ORDER BY cents) AS c, rank() OVER (PARTITION BY product_id ORDER BY cents) AS r FROM variants"),
    Shape::new("frames of times", "SELECT id, count(*) OVER (PARTITION BY country ORDER BY placed_at RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND INTERVAL '30 seconds' FOLLOWING) AS near FROM orders"),
    Shape::new("full join without keys", "SELECT b.id, c.id AS cid FROM brands b FULL JOIN categories c ON b.name < c.name"),
    Shape::new("no rows from a table", "SELECT 1 AS one, 'x' AS x"),
    Shape::new("values", "SELECT v.k, p.name FROM (VALUES ('s1', 1), ('s2', 2)) AS v(s, k) LEFT JOIN products p ON p.sku = v.s"),
    Shape::new("views read twice", "SELECT a.sku, a.q, b.q AS other FROM totals a JOIN totals b ON b.q > a.q AND length(b.sku) = length(a.sku) JOIN named n ON n.sku = a.sku")
        .with_views(&[("totals", "SELECT sku, sum(quantity) AS q, count(*) AS unused FROM items GROUP BY sku"), ("named", "SELECT t.sku, p.name FROM totals t JOIN products p ON p.sku = t.sku")]),
    Shape::new("group by key takes the row's columns", "SELECT p.id, p.name, p.active, count(i.sku) AS n FROM products p LEFT JOIN items i ON i.sku = p.sku GROUP BY p.id, p.name, p.active"),
    Shape::new("times and texts", "SELECT id, date_trunc('minute', placed_at) AS m, extract(second FROM placed_at) AS s, country || '/' || coalesce(customer, '?') AS t, substr(country, 3, 4) AS sub FROM orders"),
];

#[test]
fn every_shape_equals_a_fresh_computation_with_one_worker() {
    for (index, shape) in SHAPES.iter().enumerate() {
        check(shape, 1, 100 + index as u64);
    }
}

#[test]
fn every_shape_equals_a_fresh_computation_with_two_workers() {
    for (index, shape) in SHAPES.iter().enumerate() {
        check(shape, 2, 500 + index as u64);
    }
}

/// WITH RECURSIVE keeps state inside of a nested circuit.
pub const RECURSIONS: &[Shape] = &[
    Shape::new(
        "recursion",
        "WITH RECURSIVE near AS (SELECT p.id, p.brand_id FROM products p WHERE p.category_id = 'k1' UNION SELECT p.id, p.brand_id FROM near n JOIN products q ON q.brand_id = n.brand_id JOIN products p ON p.category_id = q.category_id) SELECT id, brand_id FROM near",
    ),
    Shape::new(
        "recursion without joins",
        "WITH RECURSIVE steps AS (SELECT sku, quantity AS n FROM items UNION SELECT sku, n - 2 FROM steps WHERE n > 1) SELECT sku, n, count(*) AS times FROM steps GROUP BY sku, n",
    ),
];

#[test]
fn every_recursion_equals_a_fresh_computation() {
    for (index, shape) in RECURSIONS.iter().enumerate() {
        check(shape, 1, 700 + index as u64);
        check(shape, 2, 800 + index as u64);
    }
}
