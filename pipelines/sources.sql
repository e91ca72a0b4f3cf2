-- The source tables: what a view that is made while everything runs may read. Columns and types are those that the pipelines declare, and
-- some that only views ask for; every table is decoded with all of its columns.

CREATE TABLE categories (
    id TEXT PRIMARY KEY, name TEXT, description TEXT, parent_id TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.categories', format = 'debezium_json', type = 'source');

CREATE TABLE brands (
    id TEXT PRIMARY KEY, name TEXT, description TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.brands', format = 'debezium_json', type = 'source');

CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT, name TEXT, description TEXT, category_id TEXT, brand_id TEXT,
    base_price_cents INT, currency TEXT, is_active BOOLEAN, created_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'debezium_json', type = 'source');

CREATE TABLE product_variants (
    id TEXT PRIMARY KEY, product_id TEXT, variant_sku TEXT, attributes TEXT, price_cents INT
) WITH (connector = 'kafka', topic = 'catalog.public.product_variants', format = 'debezium_json', type = 'source');

CREATE TABLE product_images (
    id TEXT PRIMARY KEY, product_id TEXT, position INT, media_type TEXT, content BYTEA
) WITH (connector = 'kafka', topic = 'catalog.public.product_images', format = 'debezium_json', type = 'source');

CREATE TABLE orders (
    id TEXT PRIMARY KEY, number TEXT, kind TEXT, customer_id TEXT, country TEXT, currency TEXT, status TEXT, placed_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'orders.public.orders', format = 'debezium_json', type = 'source');

CREATE TABLE order_items (
    order_id TEXT, line_no INT, sku TEXT, quantity INT, unit_price DECIMAL(12, 3), paid_cents BIGINT, PRIMARY KEY (order_id, line_no)
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'debezium_json', type = 'source');

CREATE TABLE stock_movements (
    id TEXT PRIMARY KEY, sku TEXT, quantity INT, reason TEXT, reference TEXT, created_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'inventory.public.stock_movements', format = 'debezium_json', type = 'source');

CREATE TABLE reorder_points (
    sku TEXT PRIMARY KEY, threshold INT
) WITH (connector = 'kafka', topic = 'inventory.public.reorder_points', format = 'debezium_json', type = 'source');

-- What shoppers did, and what they were shown in experiments. The topic may bring an event twice, so `event_id` tells events apart, not rows.
CREATE TABLE clickstream (
    event_id TEXT PRIMARY KEY, type TEXT, session_id TEXT, customer_id TEXT, sku TEXT, query TEXT, occurred_at TIMESTAMP,
    experiment TEXT, variant TEXT, window_ends_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'clickstream', format = 'json', type = 'source');
