-- store: sales.totals, sales.reporting_totals
SELECT 1 AS id, (SELECT count(*) FROM order_items) AS lines, (SELECT count(DISTINCT order_id) FROM order_items) AS orders,
       (SELECT count(DISTINCT sku) FROM order_items) AS skus, (SELECT count(DISTINCT customer_id) FROM orders) AS customers,
       (SELECT count(*) FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.kind = 'cancellation') AS cancellation_lines,
       (SELECT coalesce(sum(quantity * unit_price), 0)::numeric(20, 3) FROM order_items) AS revenue;

-- store: sales.by_minute, sales.reporting_by_minute
SELECT date_trunc('minute', o.placed_at AT TIME ZONE 'UTC') AS minute, count(DISTINCT o.id) AS orders, count(*) AS lines,
       sum(i.quantity)::bigint AS units, sum(i.quantity * i.unit_price)::numeric(20, 3) AS revenue,
       sum(i.quantity * i.unit_price)::double precision / count(DISTINCT o.id) AS average_basket
FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY 1;

-- store: sales.by_country, sales.reporting_by_country
SELECT o.country, count(DISTINCT o.id) AS orders, count(*) AS lines, sum(i.quantity)::bigint AS units,
       sum(i.quantity * i.unit_price)::numeric(20, 3) AS revenue,
       sum(i.quantity * i.unit_price)::double precision / count(DISTINCT o.id) AS average_basket
FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY 1;

-- store: sales.by_category, sales.reporting_by_category
SELECT coalesce(c.name, 'Uncategorised') AS category, count(DISTINCT i.order_id) AS orders, count(*) AS lines,
       sum(i.quantity)::bigint AS units, sum(i.quantity * i.unit_price)::numeric(20, 3) AS revenue,
       sum(i.quantity * i.unit_price)::double precision / count(DISTINCT i.order_id) AS average_basket
FROM order_items i LEFT JOIN products p ON p.sku = i.sku LEFT JOIN categories c ON c.id = p.category_id GROUP BY 1;

-- store: sales.top_products
SELECT rn AS rank, s.sku, p.name, s.units, s.revenue
FROM (SELECT sku, units, revenue, row_number() OVER (ORDER BY revenue DESC, sku COLLATE "C") AS rn
      FROM (SELECT sku, sum(quantity)::bigint AS units, sum(quantity * unit_price)::numeric(20, 3) AS revenue
            FROM order_items GROUP BY sku) t) s
LEFT JOIN products p ON p.sku = s.sku
WHERE rn <= 20;
