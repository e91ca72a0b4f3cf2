-- Every change of the shop's tables, as it was committed: who looks back later finds what was there before and after. What a service publishes
-- of a table is in its migrations: of accounts and people nothing that is secret, and nothing that would have to be forgotten.

CREATE TABLE credentials (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'auth.public.credentials', format = 'raw_string', type = 'source');
CREATE TABLE sessions (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'auth.public.sessions', format = 'raw_string', type = 'source');
CREATE TABLE api_keys (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'auth.public.api_keys', format = 'raw_string', type = 'source');
CREATE TABLE signing_keys (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'auth.public.signing_keys', format = 'raw_string', type = 'source');
CREATE TABLE users (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'users.public.users', format = 'raw_string', type = 'source');
CREATE TABLE user_addresses (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'users.public.user_addresses', format = 'raw_string', type = 'source');
CREATE TABLE categories (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'catalog.public.categories', format = 'raw_string', type = 'source');
CREATE TABLE brands (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'catalog.public.brands', format = 'raw_string', type = 'source');
CREATE TABLE products (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'raw_string', type = 'source');
CREATE TABLE product_variants (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'catalog.public.product_variants', format = 'raw_string', type = 'source');
CREATE TABLE promotions (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.promotions', format = 'raw_string', type = 'source');
CREATE TABLE coupons (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.coupons', format = 'raw_string', type = 'source');
CREATE TABLE redemptions (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.redemptions', format = 'raw_string', type = 'source');
CREATE TABLE redeemed_promotions (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.redeemed_promotions', format = 'raw_string', type = 'source');
CREATE TABLE tax_countries (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.tax_countries', format = 'raw_string', type = 'source');
CREATE TABLE tax_rates (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.tax_rates', format = 'raw_string', type = 'source');
CREATE TABLE shipping_rates (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'pricing.public.shipping_rates', format = 'raw_string', type = 'source');
CREATE TABLE stock_movements (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'inventory.public.stock_movements', format = 'raw_string', type = 'source');
CREATE TABLE reorder_points (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'inventory.public.reorder_points', format = 'raw_string', type = 'source');
CREATE TABLE warehouses (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'inventory.public.warehouses', format = 'raw_string', type = 'source');
-- Orders may be spread over several databases, each with topics of its own.
CREATE TABLE orders (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.orders', format = 'raw_string', type = 'source');
CREATE TABLE order_items (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'raw_string', type = 'source');
CREATE TABLE order_events (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.order_events', format = 'raw_string', type = 'source');
CREATE TABLE shipments (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.shipments', format = 'raw_string', type = 'source');
CREATE TABLE shipment_items (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.shipment_items', format = 'raw_string', type = 'source');
CREATE TABLE returns (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.returns', format = 'raw_string', type = 'source');
CREATE TABLE return_items (value TEXT, topic TEXT METADATA FROM 'topic', "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'orders.public.return_items', format = 'raw_string', type = 'source');
CREATE TABLE payments (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'payments.public.payments', format = 'raw_string', type = 'source');
CREATE TABLE refunds (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'payments.public.refunds', format = 'raw_string', type = 'source');
CREATE TABLE flags (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'flags.public.flags', format = 'raw_string', type = 'source');
CREATE TABLE experiments (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'flags.public.experiments', format = 'raw_string', type = 'source');
CREATE TABLE webhooks (value TEXT, "offset" BIGINT METADATA FROM 'offset')
    WITH (connector = 'kafka', topic = 'notifications.public.webhooks', format = 'raw_string', type = 'source');

CREATE TABLE changes (
    topic TEXT, "offset" BIGINT, op TEXT, transaction_id TEXT, committed_ms BIGINT, before TEXT, after TEXT, row_key TEXT,
    PRIMARY KEY (topic, "offset")
) WITH (connector = 'postgres', type = 'sink', database = 'reporting', table = 'audit');

-- Beside each table the columns that tell its rows apart.
CREATE VIEW envelopes AS
    SELECT 'auth.public.credentials' AS topic, '$.user_id' AS first_key, CAST(NULL AS TEXT) AS second_key, "offset", value FROM credentials
    UNION ALL
    SELECT 'auth.public.sessions', '$.session_id', NULL, "offset", value FROM sessions
    UNION ALL
    SELECT 'auth.public.api_keys', '$.key_id', NULL, "offset", value FROM api_keys
    UNION ALL
    SELECT 'auth.public.signing_keys', '$.key_id', NULL, "offset", value FROM signing_keys
    UNION ALL
    SELECT 'users.public.users', '$.id', NULL, "offset", value FROM users
    UNION ALL
    SELECT 'users.public.user_addresses', '$.id', NULL, "offset", value FROM user_addresses
    UNION ALL
    SELECT 'catalog.public.categories', '$.id', NULL, "offset", value FROM categories
    UNION ALL
    SELECT 'catalog.public.brands', '$.id', NULL, "offset", value FROM brands
    UNION ALL
    SELECT 'catalog.public.products', '$.id', NULL, "offset", value FROM products
    UNION ALL
    SELECT 'catalog.public.product_variants', '$.id', NULL, "offset", value FROM product_variants
    UNION ALL
    SELECT 'pricing.public.promotions', '$.id', NULL, "offset", value FROM promotions
    UNION ALL
    SELECT 'pricing.public.coupons', '$.code', NULL, "offset", value FROM coupons
    UNION ALL
    SELECT 'pricing.public.redemptions', '$.id', NULL, "offset", value FROM redemptions
    UNION ALL
    SELECT 'pricing.public.redeemed_promotions', '$.redemption_id', '$.promotion_id', "offset", value FROM redeemed_promotions
    UNION ALL
    SELECT 'pricing.public.tax_countries', '$.country', NULL, "offset", value FROM tax_countries
    UNION ALL
    SELECT 'pricing.public.tax_rates', '$.country', NULL, "offset", value FROM tax_rates
    UNION ALL
    SELECT 'pricing.public.shipping_rates', '$.country', '$.method', "offset", value FROM shipping_rates
    UNION ALL
    SELECT 'inventory.public.stock_movements', '$.id', NULL, "offset", value FROM stock_movements
    UNION ALL
    SELECT 'inventory.public.reorder_points', '$.sku', NULL, "offset", value FROM reorder_points
    UNION ALL
    SELECT 'inventory.public.warehouses', '$.id', NULL, "offset", value FROM warehouses
    UNION ALL
    SELECT topic, '$.id', NULL, "offset", value FROM orders
    UNION ALL
    SELECT topic, '$.order_id', '$.line_no', "offset", value FROM order_items
    UNION ALL
    SELECT topic, '$.order_id', '$.id', "offset", value FROM order_events
    UNION ALL
    SELECT topic, '$.id', NULL, "offset", value FROM shipments
    UNION ALL
    SELECT topic, '$.shipment_id', '$.line_no', "offset", value FROM shipment_items
    UNION ALL
    SELECT topic, '$.id', NULL, "offset", value FROM returns
    UNION ALL
    SELECT topic, '$.return_id', '$.line_no', "offset", value FROM return_items
    UNION ALL
    SELECT 'payments.public.payments', '$.id', NULL, "offset", value FROM payments
    UNION ALL
    SELECT 'payments.public.refunds', '$.id', NULL, "offset", value FROM refunds
    UNION ALL
    SELECT 'flags.public.flags', '$.key', NULL, "offset", value FROM flags
    UNION ALL
    SELECT 'flags.public.experiments', '$.key', NULL, "offset", value FROM experiments
    UNION ALL
    SELECT 'notifications.public.webhooks', '$.id', NULL, "offset", value FROM webhooks;

CREATE VIEW images AS
    SELECT topic, "offset", value, first_key, second_key,
           coalesce(extract_json(value, '$.after'), extract_json(value, '$.before')) AS image
    FROM envelopes
    WHERE value IS NOT NULL;

INSERT INTO changes
    SELECT topic, "offset", extract_json_string(value, '$.op'), extract_json_string(value, '$.transaction.id'),
           CAST(extract_json_string(value, '$.source.ts_ms') AS BIGINT), extract_json(value, '$.before'), extract_json(value, '$.after'),
           concat_ws('/', extract_json_string(image, first_key), extract_json_string(image, second_key))
    FROM images;
