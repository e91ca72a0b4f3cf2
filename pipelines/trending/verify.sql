-- store: trending.trending
WITH counts AS (
    SELECT date_trunc('hour', occurred_at AT TIME ZONE 'UTC') AS window_start, sku, count(*) AS views
    FROM clickstream
    WHERE type IN ('view', 'click', 'add_to_cart') AND sku IS NOT NULL AND occurred_at IS NOT NULL
    GROUP BY 1, 2),
by_category AS (
    SELECT coalesce(g.name, 'Uncategorised') AS category, c.window_start, c.sku, c.views
    FROM counts c JOIN products p ON p.sku = c.sku LEFT JOIN categories g ON g.id = p.category_id
    UNION ALL
    SELECT 'All', window_start, sku, views FROM counts)
SELECT category, window_start, rn AS rank, sku, views
FROM (SELECT *, row_number() OVER (PARTITION BY category, window_start ORDER BY views DESC, sku COLLATE "C") AS rn FROM by_category) r
WHERE rn <= 10;
