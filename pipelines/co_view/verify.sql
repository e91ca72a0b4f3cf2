-- store: co_view.related_by_view
WITH views AS (SELECT DISTINCT session_id, sku FROM clickstream WHERE type IN ('view', 'click', 'add_to_cart') AND sku IS NOT NULL),
     sessions AS (SELECT session_id, sku FROM views
                  WHERE session_id IN (SELECT session_id FROM views GROUP BY session_id HAVING count(*) BETWEEN 2 AND 30)),
     related AS (SELECT a.sku, b.sku AS other_sku, count(*) AS sessions
                 FROM sessions a JOIN sessions b ON b.session_id = a.session_id AND a.sku <> b.sku GROUP BY 1, 2)
SELECT sku, other_sku, sessions
FROM (SELECT *, row_number() OVER (PARTITION BY sku ORDER BY sessions DESC, other_sku COLLATE "C") AS rn FROM related) r
WHERE rn <= 20;
