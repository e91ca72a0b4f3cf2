-- One document a product that is on sale: what search finds and what a product page shows.

CREATE TABLE catalog_products (
    id TEXT PRIMARY KEY, sku TEXT, name TEXT, description TEXT, category_id TEXT, brand_id TEXT,
    base_price_cents INT, currency TEXT, is_active BOOLEAN
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'debezium_json', type = 'source');

CREATE TABLE brands (
    id TEXT PRIMARY KEY, name TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.brands', format = 'debezium_json', type = 'source');

CREATE TABLE categories (
    id TEXT PRIMARY KEY, name TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.categories', format = 'debezium_json', type = 'source');

CREATE TABLE product_variants (
    id TEXT PRIMARY KEY, product_id TEXT, variant_sku TEXT, attributes TEXT, price_cents INT
) WITH (connector = 'kafka', topic = 'catalog.public.product_variants', format = 'debezium_json', type = 'source');

CREATE TABLE product_images (
    id TEXT PRIMARY KEY, product_id TEXT, position INT
) WITH (connector = 'kafka', topic = 'catalog.public.product_images', format = 'debezium_json', type = 'source');

CREATE TABLE stock_movements (
    id TEXT PRIMARY KEY, sku TEXT, quantity INT
) WITH (connector = 'kafka', topic = 'inventory.public.stock_movements', format = 'debezium_json', type = 'source');

CREATE TABLE order_items (
    order_id TEXT, line_no INT, sku TEXT, quantity INT, PRIMARY KEY (order_id, line_no)
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'debezium_json', type = 'source');

CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT, name TEXT, description TEXT, brand TEXT, category TEXT, price_cents INT, currency TEXT,
    available BIGINT, popularity BIGINT, variants TEXT, image_id TEXT
) WITH (connector = 'tantivy', type = 'sink', index = 'products',
        'fields.text' = 'name^3,sku^2,brand^2,category,description', 'fields.facet' = 'brand,category',
        'fields.fast' = 'price_cents,available,popularity');

CREATE TABLE product_documents (
    id TEXT PRIMARY KEY, sku TEXT, name TEXT, description TEXT, brand TEXT, category TEXT, price_cents INT, currency TEXT,
    available BIGINT, popularity BIGINT, variants TEXT, image_id TEXT
) WITH (connector = 'redis', type = 'sink', target = 'json', 'target.key_prefix' = 'product:');

CREATE TABLE sku_ids (
    sku TEXT PRIMARY KEY, id TEXT
) WITH (connector = 'redis', type = 'sink', target = 'json', 'target.key_prefix' = 'sku:');

CREATE VIEW variant_lists AS
    SELECT product_id,
           '[' || string_agg(json_object('sku', variant_sku, 'attributes', json(attributes), 'price_cents', price_cents),
                             ',' ORDER BY variant_sku) || ']' AS variants
    FROM product_variants
    GROUP BY product_id;

-- The picture shown first: the lowest position, then the lowest id.
CREATE VIEW cover_images AS
    SELECT product_id, id AS image_id
    FROM (SELECT product_id, id, row_number() OVER (PARTITION BY product_id ORDER BY position, id) AS rn FROM product_images)
    WHERE rn <= 1;

-- What there is of a SKU, and how many units shoppers took, whether or not they came back.
CREATE VIEW levels AS
    SELECT sku, sum(moved) AS available, sum(taken) AS popularity
    FROM (SELECT sku, CAST(quantity AS BIGINT) AS moved, CAST(0 AS BIGINT) AS taken FROM stock_movements
          UNION ALL
          SELECT sku, CAST(-quantity AS BIGINT), CAST(CASE WHEN quantity > 0 THEN quantity ELSE 0 END AS BIGINT) FROM order_items)
    GROUP BY sku;

-- Levels change all day and so come last: what else a document is made of is joined once and kept.
CREATE VIEW documents AS
    SELECT p.id, p.sku, p.name, p.description, b.name AS brand, c.name AS category, p.base_price_cents AS price_cents, p.currency,
           coalesce(l.available, 0) AS available, coalesce(l.popularity, 0) AS popularity, coalesce(v.variants, '[]') AS variants, i.image_id
    FROM catalog_products p
    LEFT JOIN brands b ON b.id = p.brand_id
    LEFT JOIN categories c ON c.id = p.category_id
    LEFT JOIN variant_lists v ON v.product_id = p.id
    LEFT JOIN cover_images i ON i.product_id = p.id
    LEFT JOIN levels l ON l.sku = p.sku
    WHERE p.is_active;

INSERT INTO products
    SELECT id, sku, name, description, brand, category, price_cents, currency, available, popularity, variants, image_id FROM documents;

INSERT INTO product_documents
    SELECT id, sku, name, description, brand, category, price_cents, currency, available, popularity, variants, image_id FROM documents;

INSERT INTO sku_ids SELECT sku, id FROM catalog_products WHERE is_active;
