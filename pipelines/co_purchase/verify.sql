-- store: co_purchase.related_by_purchase
WITH lines AS (SELECT DISTINCT order_id, sku FROM order_items WHERE quantity > 0),
     baskets AS (SELECT order_id, sku FROM lines
                 WHERE order_id IN (SELECT order_id FROM lines GROUP BY order_id HAVING count(*) BETWEEN 2 AND 20)),
     related AS (SELECT a.sku, b.sku AS other_sku, count(*) AS orders
                 FROM baskets a JOIN baskets b ON b.order_id = a.order_id AND a.sku <> b.sku GROUP BY 1, 2)
SELECT sku, other_sku, orders
FROM (SELECT *, row_number() OVER (PARTITION BY sku ORDER BY orders DESC, other_sku COLLATE "C") AS rn FROM related) r
WHERE rn <= 20;
