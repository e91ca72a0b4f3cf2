-- What is looked at most, by category and hour: the ten SKUs at the top of each.

CREATE TABLE clickstream (
    event_id TEXT PRIMARY KEY, type TEXT, session_id TEXT, sku TEXT, occurred_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'clickstream', format = 'json', type = 'source');

CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT, category_id TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'debezium_json', type = 'source');

CREATE TABLE categories (
    id TEXT PRIMARY KEY, name TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.categories', format = 'debezium_json', type = 'source');

CREATE TABLE trending (
    category TEXT, window_start TIMESTAMP, rank BIGINT, sku TEXT, views BIGINT, PRIMARY KEY (category, window_start, rank)
) WITH (connector = 'view', type = 'sink');

CREATE VIEW counts AS
    SELECT date_bin(INTERVAL '1 hour', occurred_at) AS window_start, sku, count(*) AS views
    FROM clickstream
    WHERE type IN ('view', 'click', 'add_to_cart') AND sku IS NOT NULL AND occurred_at IS NOT NULL
    GROUP BY date_bin(INTERVAL '1 hour', occurred_at), sku;

CREATE VIEW by_category AS
    SELECT coalesce(g.name, 'Uncategorised') AS category, c.window_start, c.sku, c.views
    FROM counts c
    JOIN products p ON p.sku = c.sku
    LEFT JOIN categories g ON g.id = p.category_id
    UNION ALL
    SELECT 'All', window_start, sku, views FROM counts;

INSERT INTO trending
    SELECT category, window_start, rn, sku, views
    FROM (SELECT category, window_start, sku, views,
                 row_number() OVER (PARTITION BY category, window_start ORDER BY views DESC, sku) AS rn
          FROM by_category)
    WHERE rn <= 10;
