-- Revenue, orders and the average basket: in all, by minute, by country and by category, and the products that lead.

CREATE TABLE orders (
    id TEXT PRIMARY KEY, number TEXT, kind TEXT, customer_id TEXT, country TEXT, placed_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'orders.public.orders', format = 'debezium_json', type = 'source');

CREATE TABLE order_items (
    order_id TEXT, line_no INT, sku TEXT, quantity INT, unit_price DECIMAL(12, 3), PRIMARY KEY (order_id, line_no)
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'debezium_json', type = 'source');

CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT, name TEXT, category_id TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'debezium_json', type = 'source');

CREATE TABLE categories (
    id TEXT PRIMARY KEY, name TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.categories', format = 'debezium_json', type = 'source');

CREATE TABLE totals (
    id INT PRIMARY KEY, lines BIGINT, orders BIGINT, skus BIGINT, customers BIGINT, cancellation_lines BIGINT, revenue DECIMAL(20, 3)
) WITH (connector = 'view', type = 'sink');

CREATE TABLE reporting_totals (
    id INT PRIMARY KEY, lines BIGINT, orders BIGINT, skus BIGINT, customers BIGINT, cancellation_lines BIGINT, revenue DECIMAL(20, 3)
) WITH (connector = 'postgres', type = 'sink', database = 'reporting', table = 'sales_totals');

CREATE TABLE by_minute (
    minute TIMESTAMP PRIMARY KEY, orders BIGINT, lines BIGINT, units BIGINT, revenue DECIMAL(20, 3), average_basket DOUBLE
) WITH (connector = 'view', type = 'sink');

CREATE TABLE reporting_by_minute (
    minute TIMESTAMP PRIMARY KEY, orders BIGINT, lines BIGINT, units BIGINT, revenue DECIMAL(20, 3), average_basket DOUBLE
) WITH (connector = 'postgres', type = 'sink', database = 'reporting', table = 'sales_by_minute');

CREATE TABLE by_country (
    country TEXT PRIMARY KEY, orders BIGINT, lines BIGINT, units BIGINT, revenue DECIMAL(20, 3), average_basket DOUBLE
) WITH (connector = 'view', type = 'sink');

CREATE TABLE reporting_by_country (
    country TEXT PRIMARY KEY, orders BIGINT, lines BIGINT, units BIGINT, revenue DECIMAL(20, 3), average_basket DOUBLE
) WITH (connector = 'postgres', type = 'sink', database = 'reporting', table = 'sales_by_country');

CREATE TABLE by_category (
    category TEXT PRIMARY KEY, orders BIGINT, lines BIGINT, units BIGINT, revenue DECIMAL(20, 3), average_basket DOUBLE
) WITH (connector = 'view', type = 'sink');

CREATE TABLE reporting_by_category (
    category TEXT PRIMARY KEY, orders BIGINT, lines BIGINT, units BIGINT, revenue DECIMAL(20, 3), average_basket DOUBLE
) WITH (connector = 'postgres', type = 'sink', database = 'reporting', table = 'sales_by_category');

CREATE TABLE top_products (
    rank BIGINT PRIMARY KEY, sku TEXT, name TEXT, units BIGINT, revenue DECIMAL(20, 3)
) WITH (connector = 'view', type = 'sink');

-- A line of a cancellation has a negative quantity, and so a negative revenue.
CREATE VIEW lines AS
    SELECT order_id, sku, CAST(quantity AS BIGINT) AS quantity, CAST(quantity * unit_price AS DECIMAL(20, 3)) AS revenue
    FROM order_items;

-- An order is one row from here on: its lines are added up first.
CREATE VIEW baskets AS
    SELECT order_id, count(*) AS lines, sum(quantity) AS units, CAST(sum(revenue) AS DECIMAL(20, 3)) AS revenue
    FROM lines GROUP BY order_id;

CREATE VIEW sales AS
    SELECT o.id, o.kind, o.customer_id, o.country, date_bin(INTERVAL '1 minute', o.placed_at) AS minute, b.lines, b.units, b.revenue
    FROM orders o JOIN baskets b ON b.order_id = o.id;

CREATE VIEW order_totals AS
    SELECT 1 AS id, CAST(coalesce(sum(lines), 0) AS BIGINT) AS lines, count(*) AS orders, count(DISTINCT customer_id) AS customers,
           CAST(coalesce(sum(CASE WHEN kind = 'cancellation' THEN lines ELSE 0 END), 0) AS BIGINT) AS cancellation_lines,
           CAST(coalesce(sum(revenue), 0) AS DECIMAL(20, 3)) AS revenue
    FROM sales;

CREATE VIEW minutes AS
    SELECT minute, count(*) AS orders, CAST(sum(lines) AS BIGINT) AS lines, CAST(sum(units) AS BIGINT) AS units,
           CAST(sum(revenue) AS DECIMAL(20, 3)) AS revenue, CAST(sum(revenue) AS DOUBLE) / count(*) AS average_basket
    FROM sales GROUP BY minute;

INSERT INTO by_minute SELECT minute, orders, lines, units, revenue, average_basket FROM minutes;
INSERT INTO reporting_by_minute SELECT minute, orders, lines, units, revenue, average_basket FROM minutes;

CREATE VIEW countries AS
    SELECT country, count(*) AS orders, CAST(sum(lines) AS BIGINT) AS lines, CAST(sum(units) AS BIGINT) AS units,
           CAST(sum(revenue) AS DECIMAL(20, 3)) AS revenue, CAST(sum(revenue) AS DOUBLE) / count(*) AS average_basket
    FROM sales GROUP BY country;

INSERT INTO by_country SELECT country, orders, lines, units, revenue, average_basket FROM countries;
INSERT INTO reporting_by_country SELECT country, orders, lines, units, revenue, average_basket FROM countries;

-- By SKU first: whatever the number of lines, few rows reach the join with the catalogue.
CREATE VIEW sku_sales AS
    SELECT sku, count(*) AS lines, sum(quantity) AS units, CAST(sum(revenue) AS DECIMAL(20, 3)) AS revenue FROM lines GROUP BY sku;

CREATE VIEW sku_categories AS
    SELECT p.sku, c.name AS category FROM products p LEFT JOIN categories c ON c.id = p.category_id;

CREATE VIEW category_totals AS
    SELECT coalesce(k.category, 'Uncategorised') AS category, CAST(sum(s.lines) AS BIGINT) AS lines, CAST(sum(s.units) AS BIGINT) AS units,
           CAST(sum(s.revenue) AS DECIMAL(20, 3)) AS revenue
    FROM sku_sales s LEFT JOIN sku_categories k ON k.sku = s.sku
    GROUP BY coalesce(k.category, 'Uncategorised');

-- An order counts once in each category that it has a line of; for that alone every line is kept.
CREATE VIEW category_orders AS
    SELECT coalesce(k.category, 'Uncategorised') AS category, count(DISTINCT i.order_id) AS orders
    FROM order_items i LEFT JOIN sku_categories k ON k.sku = i.sku
    GROUP BY coalesce(k.category, 'Uncategorised');

CREATE VIEW category_sales AS
    SELECT t.category, o.orders, t.lines, t.units, t.revenue, CAST(t.revenue AS DOUBLE) / o.orders AS average_basket
    FROM category_totals t JOIN category_orders o ON o.category = t.category;

INSERT INTO by_category SELECT category, orders, lines, units, revenue, average_basket FROM category_sales;
INSERT INTO reporting_by_category SELECT category, orders, lines, units, revenue, average_basket FROM category_sales;

CREATE VIEW sku_totals AS SELECT 1 AS id, count(*) AS skus FROM sku_sales;

CREATE VIEW all_totals AS
    SELECT t.id, t.lines, t.orders, s.skus, t.customers, t.cancellation_lines, t.revenue
    FROM order_totals t JOIN sku_totals s ON s.id = t.id;

INSERT INTO totals SELECT id, lines, orders, skus, customers, cancellation_lines, revenue FROM all_totals;
INSERT INTO reporting_totals SELECT id, lines, orders, skus, customers, cancellation_lines, revenue FROM all_totals;

CREATE VIEW leaders AS
    SELECT rn, sku, units, revenue
    FROM (SELECT sku, units, revenue, row_number() OVER (ORDER BY revenue DESC, sku) AS rn FROM sku_sales)
    WHERE rn <= 20;

INSERT INTO top_products
    SELECT l.rn, l.sku, p.name, l.units, l.revenue FROM leaders l LEFT JOIN products p ON p.sku = l.sku;
