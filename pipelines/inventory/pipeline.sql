-- Stock per SKU: what was received, less what was sold, plus what came back.

CREATE TABLE stock_movements (
    id TEXT PRIMARY KEY, sku TEXT, quantity INT
) WITH (connector = 'kafka', topic = 'inventory.public.stock_movements', format = 'debezium_json', type = 'source');

CREATE TABLE reorder_points (
    sku TEXT PRIMARY KEY, threshold INT
) WITH (connector = 'kafka', topic = 'inventory.public.reorder_points', format = 'debezium_json', type = 'source');

CREATE TABLE order_items (
    order_id TEXT, line_no INT, sku TEXT, quantity INT, PRIMARY KEY (order_id, line_no)
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'debezium_json', type = 'source');

CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT, name TEXT
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'debezium_json', type = 'source');

-- Read by GET /api/v1/inventory/{sku}.
CREATE TABLE stock (
    sku TEXT PRIMARY KEY, received BIGINT, sold BIGINT, returned BIGINT, available BIGINT
) WITH (connector = 'redis', type = 'sink', target = 'json', 'target.key_prefix' = 'stock:');

-- What orders may promise: an order's transaction raises `allocations` only while it stays within `received`.
CREATE TABLE received (
    sku TEXT PRIMARY KEY, quantity BIGINT
) WITH (connector = 'postgres', type = 'sink', database = 'orders', table = 'received');

CREATE TABLE low_stock (
    sku TEXT PRIMARY KEY, name TEXT, available BIGINT, threshold INT
) WITH (connector = 'view', type = 'sink');

CREATE VIEW movements AS
    SELECT sku, CAST(quantity AS BIGINT) AS received, CAST(0 AS BIGINT) AS sold, CAST(0 AS BIGINT) AS returned
    FROM stock_movements
    UNION ALL
    SELECT sku, CAST(0 AS BIGINT),
           CAST(CASE WHEN quantity > 0 THEN quantity ELSE 0 END AS BIGINT),
           CAST(CASE WHEN quantity < 0 THEN -quantity ELSE 0 END AS BIGINT)
    FROM order_items;

CREATE VIEW levels AS
    SELECT sku, sum(received) AS received, sum(sold) AS sold, sum(returned) AS returned,
           sum(received) - sum(sold) + sum(returned) AS available
    FROM movements
    GROUP BY sku;

INSERT INTO stock SELECT sku, received, sold, returned, available FROM levels;

INSERT INTO received SELECT sku, sum(quantity) FROM stock_movements GROUP BY sku;

INSERT INTO low_stock
    SELECT l.sku, p.name, l.available, r.threshold
    FROM levels l
    JOIN reorder_points r ON r.sku = l.sku
    LEFT JOIN products p ON p.sku = l.sku
    WHERE l.available <= r.threshold;
