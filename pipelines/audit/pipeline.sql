-- Every change of the shop's tables, as it was committed: who looks back later finds what was there before and after.

CREATE TABLE orders (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'orders.public.orders', format = 'raw_string', type = 'source');

CREATE TABLE order_items (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'raw_string', type = 'source');

CREATE TABLE products (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'raw_string', type = 'source');

CREATE TABLE product_variants (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'catalog.public.product_variants', format = 'raw_string', type = 'source');

CREATE TABLE brands (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'catalog.public.brands', format = 'raw_string', type = 'source');

CREATE TABLE categories (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'catalog.public.categories', format = 'raw_string', type = 'source');

CREATE TABLE stock_movements (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'inventory.public.stock_movements', format = 'raw_string', type = 'source');

CREATE TABLE reorder_points (
    value TEXT, "offset" BIGINT METADATA FROM 'offset'
) WITH (connector = 'kafka', topic = 'inventory.public.reorder_points', format = 'raw_string', type = 'source');

CREATE TABLE changes (
    topic TEXT, "offset" BIGINT, op TEXT, transaction_id TEXT, committed_ms BIGINT, before TEXT, after TEXT,
    PRIMARY KEY (topic, "offset")
) WITH (connector = 'postgres', type = 'sink', database = 'reporting', table = 'audit');

CREATE VIEW envelopes AS
    SELECT 'orders.public.orders' AS topic, "offset", value FROM orders
    UNION ALL
    SELECT 'orders.public.order_items' AS topic, "offset", value FROM order_items
    UNION ALL
    SELECT 'catalog.public.products' AS topic, "offset", value FROM products
    UNION ALL
    SELECT 'catalog.public.product_variants' AS topic, "offset", value FROM product_variants
    UNION ALL
    SELECT 'catalog.public.brands' AS topic, "offset", value FROM brands
    UNION ALL
    SELECT 'catalog.public.categories' AS topic, "offset", value FROM categories
    UNION ALL
    SELECT 'inventory.public.stock_movements' AS topic, "offset", value FROM stock_movements
    UNION ALL
    SELECT 'inventory.public.reorder_points' AS topic, "offset", value FROM reorder_points;

INSERT INTO changes
    SELECT topic, "offset", extract_json_string(value, '$.op'), extract_json_string(value, '$.transaction.id'),
           CAST(extract_json_string(value, '$.source.ts_ms') AS BIGINT), extract_json(value, '$.before'), extract_json(value, '$.after')
    FROM envelopes
    WHERE value IS NOT NULL;
