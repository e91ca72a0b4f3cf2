-- What came of experiments: who was exposed to which variant, and what they ordered within their window.

CREATE TABLE clickstream (
    event_id TEXT PRIMARY KEY, type TEXT, session_id TEXT, customer_id TEXT, occurred_at TIMESTAMP,
    experiment TEXT, variant TEXT, window_ends_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'clickstream', format = 'json', type = 'source');

CREATE TABLE orders (
    id TEXT PRIMARY KEY, kind TEXT, customer_id TEXT, placed_at TIMESTAMP
) WITH (connector = 'kafka', topic = 'orders.public.orders', format = 'debezium_json', type = 'source');

CREATE TABLE order_items (
    order_id TEXT, line_no INT, quantity INT, unit_price DECIMAL(12, 3), paid_cents BIGINT, PRIMARY KEY (order_id, line_no)
) WITH (connector = 'kafka', topic = 'orders.public.order_items', format = 'debezium_json', type = 'source');

CREATE TABLE variants (
    experiment TEXT, variant TEXT, subjects BIGINT, converted BIGINT, orders BIGINT, revenue DECIMAL(20, 3),
    revenue_squares DECIMAL(38, 6), PRIMARY KEY (experiment, variant)
) WITH (connector = 'view', type = 'sink');

-- An exposure may be noted again, by another server or after a restart: the first one counts. All of a subject's windows are of one length,
-- so the first to end is that of the first exposure.
CREATE VIEW subjects AS
    SELECT experiment, variant, session_id AS subject, min(occurred_at) AS exposed_at, min(window_ends_at) AS window_ends_at
    FROM clickstream
    WHERE type = 'exposure' AND experiment IS NOT NULL AND variant IS NOT NULL AND occurred_at IS NOT NULL AND window_ends_at IS NOT NULL
    GROUP BY experiment, variant, session_id;

-- Whose orders are a subject's: a customer's own, or those of the customers that a session's events name.
CREATE VIEW customers AS
    SELECT DISTINCT session_id, customer_id FROM clickstream WHERE customer_id IS NOT NULL;

CREATE VIEW buyers AS
    SELECT experiment, variant, subject, exposed_at, window_ends_at, subject AS customer_id FROM subjects
    UNION
    SELECT s.experiment, s.variant, s.subject, s.exposed_at, s.window_ends_at, c.customer_id
    FROM subjects s JOIN customers c ON c.session_id = s.subject;

-- What was paid for a line, after discounts and with tax. One that does not say, as of an order that is paid elsewhere, counts at its price.
CREATE VIEW lines AS
    SELECT order_id, coalesce(CAST(paid_cents * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(20, 3)),
                              CAST(quantity * unit_price AS DECIMAL(20, 3))) AS revenue
    FROM order_items;

CREATE VIEW baskets AS
    SELECT order_id, CAST(sum(revenue) AS DECIMAL(20, 3)) AS revenue FROM lines GROUP BY order_id;

CREATE VIEW purchases AS
    SELECT o.id, o.customer_id, o.placed_at, b.revenue
    FROM orders o JOIN baskets b ON b.order_id = o.id
    WHERE o.kind = 'order' AND o.customer_id IS NOT NULL;

CREATE VIEW spending AS
    SELECT b.experiment, b.variant, b.subject, count(*) AS orders, CAST(sum(p.revenue) AS DECIMAL(20, 3)) AS revenue
    FROM buyers b JOIN purchases p ON p.customer_id = b.customer_id
    WHERE p.placed_at >= b.exposed_at AND p.placed_at < b.window_ends_at
    GROUP BY b.experiment, b.variant, b.subject;

CREATE VIEW outcomes AS
    SELECT s.experiment, s.variant, s.subject, p.orders, coalesce(p.revenue, CAST(0 AS DECIMAL(20, 3))) AS revenue
    FROM subjects s
    LEFT JOIN spending p ON p.experiment = s.experiment AND p.variant = s.variant AND p.subject = s.subject;

INSERT INTO variants
    SELECT experiment, variant, count(*), count(orders), CAST(coalesce(sum(orders), 0) AS BIGINT), CAST(sum(revenue) AS DECIMAL(20, 3)),
           CAST(sum(revenue * revenue) AS DECIMAL(38, 6))
    FROM outcomes GROUP BY experiment, variant;
