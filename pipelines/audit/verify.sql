-- The trail cannot be computed from today's tables, but it can be replayed: each change of a row begins with what the change before it
-- left, and the last one leaves what the table holds. A column that was added later may be in `before` only. Offsets have gaps where a
-- tombstone, a transaction mark of Kafka's or an attempt that was cut off stands, so they are not counted; none can be there twice.
-- Replayed are the tables that other stores are computed from; `chimera audit verify` shows of all of them that nothing was touched.

-- history: audit.changes
WITH images AS (
    SELECT topic, "offset", before::jsonb AS before, after::jsonb AS after, coalesce(after, before)::jsonb AS image
    -- However many databases the orders are in, a row is in one of them.
    FROM (SELECT regexp_replace(topic, '^orders_[0-9]+[.]', 'orders.') AS topic, "offset", op, before, after FROM reporting.audit) AS trail
    WHERE op IN ('c', 'r', 'u', 'd')
      AND topic IN ('orders.public.orders', 'orders.public.order_items', 'catalog.public.products', 'catalog.public.product_variants',
                    'catalog.public.brands', 'catalog.public.categories', 'inventory.public.stock_movements',
                    'inventory.public.reorder_points')),
keyed AS (
    SELECT topic, "offset", before, after,
           CASE topic WHEN 'orders.public.order_items' THEN concat(image ->> 'order_id', '/', image ->> 'line_no')
                      WHEN 'inventory.public.reorder_points' THEN image ->> 'sku'
                      ELSE image ->> 'id' END AS id
    FROM images),
steps AS (
    SELECT *, lag(after) OVER row_history AS left_before, lead("offset") OVER row_history IS NULL AS is_last
    FROM keyed WINDOW row_history AS (PARTITION BY topic, id ORDER BY "offset")),
ends AS (SELECT topic, id, after FROM steps WHERE is_last AND after IS NOT NULL),
-- Read back as rows of their tables, so that a value is the same however it is written.
replayed AS (
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::orders, after)) AS image FROM ends WHERE topic = 'orders.public.orders'
    UNION ALL
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::order_items, after)) FROM ends WHERE topic = 'orders.public.order_items'
    UNION ALL
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::products, after)) FROM ends WHERE topic = 'catalog.public.products'
    UNION ALL
    -- An envelope has JSON as text.
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::product_variants,
                                                     after || jsonb_build_object('attributes', (after ->> 'attributes')::jsonb)))
    FROM ends WHERE topic = 'catalog.public.product_variants'
    UNION ALL
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::brands, after)) FROM ends WHERE topic = 'catalog.public.brands'
    UNION ALL
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::categories, after)) FROM ends WHERE topic = 'catalog.public.categories'
    UNION ALL
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::stock_movements, after)) FROM ends WHERE topic = 'inventory.public.stock_movements'
    UNION ALL
    SELECT topic, id, to_jsonb(jsonb_populate_record(NULL::reorder_points, after)) FROM ends WHERE topic = 'inventory.public.reorder_points'),
source_rows AS (
    SELECT 'orders.public.orders' AS topic, id::text AS id, to_jsonb(t) AS image FROM orders t
    UNION ALL
    SELECT 'orders.public.order_items', concat(order_id, '/', line_no), to_jsonb(t) FROM order_items t
    UNION ALL
    SELECT 'catalog.public.products', id::text, to_jsonb(t) FROM products t
    UNION ALL
    SELECT 'catalog.public.product_variants', id::text, to_jsonb(t) FROM product_variants t
    UNION ALL
    SELECT 'catalog.public.brands', id::text, to_jsonb(t) FROM brands t
    UNION ALL
    SELECT 'catalog.public.categories', id::text, to_jsonb(t) FROM categories t
    UNION ALL
    SELECT 'inventory.public.stock_movements', id::text, to_jsonb(t) FROM stock_movements t
    UNION ALL
    SELECT 'inventory.public.reorder_points', sku, to_jsonb(t) FROM reorder_points t)
SELECT concat(topic, ' ', id) AS key, c.name AS column,
       CASE WHEN c.name IS NULL THEN s.image::text ELSE coalesce(s.image ->> c.name, 'null') END AS expected,
       CASE WHEN c.name IS NULL THEN r.image::text ELSE coalesce(r.image ->> c.name, 'null') END AS found
FROM source_rows s FULL JOIN replayed r USING (topic, id)
LEFT JOIN LATERAL (SELECT name FROM jsonb_object_keys(s.image) AS name WHERE s.image -> name IS DISTINCT FROM r.image -> name) c
       ON r.image IS NOT NULL
WHERE s.image IS DISTINCT FROM r.image
UNION ALL
SELECT concat(topic, ' ', id, ' at offset ', "offset"), concat_ws('.', 'before', c.name),
       CASE WHEN c.name IS NOT NULL THEN coalesce(left_before ->> c.name, 'null') ELSE coalesce(left_before::text, 'no row') END,
       CASE WHEN c.name IS NOT NULL THEN coalesce(before ->> c.name, 'null') ELSE coalesce(before::text, 'no row') END
FROM steps
LEFT JOIN LATERAL (SELECT name FROM jsonb_object_keys(left_before) AS name WHERE left_before -> name IS DISTINCT FROM before -> name) c
       ON before IS NOT NULL
WHERE (left_before IS NULL) <> (before IS NULL) OR NOT before @> left_before
ORDER BY 1, 2;
