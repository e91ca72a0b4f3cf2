-- What is bought together: for each SKU the twenty that share the most orders with it.

CREATE TABLE order_items (
    order_id TEXT, line_no INT, sku TEXT, quantity INT, PRIMARY KEY (order_id, line_no)
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'debezium_json', type = 'source');

CREATE TABLE related_by_purchase (
    sku TEXT, other_sku TEXT, orders BIGINT, PRIMARY KEY (sku, other_sku)
) WITH (connector = 'redis', type = 'sink', target = 'sorted_set', 'target.key_prefix' = 'related:purchase:',
        'target.key_column' = 'sku', 'target.member_column' = 'other_sku', 'target.score_column' = 'orders');

CREATE VIEW lines AS SELECT DISTINCT order_id, sku FROM order_items WHERE quantity > 0;

CREATE VIEW basket_sizes AS SELECT order_id, count(*) AS skus FROM lines GROUP BY order_id;

-- Baskets of more than twenty products are a retailer's restocking, say little about taste, and their pairs grow with the square.
CREATE VIEW baskets AS
    SELECT l.order_id, l.sku FROM lines l JOIN basket_sizes s ON s.order_id = l.order_id WHERE s.skus BETWEEN 2 AND 20;

CREATE VIEW pairs AS
    SELECT a.sku AS sku, b.sku AS other_sku, count(*) AS orders
    FROM baskets a JOIN baskets b ON b.order_id = a.order_id AND a.sku < b.sku
    GROUP BY a.sku, b.sku;

CREATE VIEW related AS
    SELECT sku, other_sku, orders FROM pairs UNION ALL SELECT other_sku, sku, orders FROM pairs;

INSERT INTO related_by_purchase
    SELECT sku, other_sku, orders
    FROM (SELECT sku, other_sku, orders, row_number() OVER (PARTITION BY sku ORDER BY orders DESC, other_sku) AS rn FROM related)
    WHERE rn <= 20;
