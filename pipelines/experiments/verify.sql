-- store: experiments.variants
WITH subjects AS (
    SELECT experiment, variant, session_id AS subject, min(occurred_at) AS exposed_at, min(window_ends_at) AS window_ends_at
    FROM clickstream
    WHERE type = 'exposure' AND experiment IS NOT NULL AND variant IS NOT NULL AND occurred_at IS NOT NULL AND window_ends_at IS NOT NULL
    GROUP BY 1, 2, 3),
purchases AS (
    SELECT o.id, o.customer_id, o.placed_at, sum(coalesce(i.paid_cents * 0.01, i.quantity * i.unit_price))::numeric(20, 3) AS revenue
    FROM orders o JOIN order_items i ON i.order_id = o.id
    WHERE o.kind = 'order' AND o.customer_id IS NOT NULL GROUP BY 1, 2, 3),
outcomes AS (
    SELECT s.experiment, s.variant, s.subject, count(p.id) AS orders, coalesce(sum(p.revenue), 0) AS revenue
    FROM subjects s LEFT JOIN purchases p
      ON p.placed_at >= s.exposed_at AND p.placed_at < s.window_ends_at
     AND (p.customer_id = s.subject
          OR EXISTS (SELECT FROM clickstream c WHERE c.session_id = s.subject AND c.customer_id = p.customer_id))
    GROUP BY 1, 2, 3)
SELECT experiment, variant, count(*) AS subjects, count(*) FILTER (WHERE orders > 0) AS converted, sum(orders)::bigint AS orders,
       sum(revenue)::numeric(20, 3) AS revenue, sum(revenue * revenue)::numeric(38, 6) AS revenue_squares
FROM outcomes GROUP BY 1, 2;
