-- store: inventory.stock
SELECT sku, coalesce(sum(received), 0)::bigint AS received, coalesce(sum(sold), 0)::bigint AS sold,
       coalesce(sum(returned), 0)::bigint AS returned, (sum(received) - sum(sold) + sum(returned))::bigint AS available
FROM (SELECT sku, quantity AS received, 0 AS sold, 0 AS returned FROM stock_movements
      UNION ALL
      SELECT sku, 0, greatest(quantity, 0), greatest(-quantity, 0) FROM order_items) m
GROUP BY sku;

-- store: inventory.received
SELECT sku, sum(quantity)::bigint AS quantity FROM stock_movements GROUP BY sku;

-- store: inventory.low_stock
SELECT r.sku, p.name, l.available, r.threshold
FROM reorder_points r
JOIN (SELECT sku, sum(q)::bigint AS available
      FROM (SELECT sku, quantity AS q FROM stock_movements UNION ALL SELECT sku, -quantity FROM order_items) m
      GROUP BY sku) l ON l.sku = r.sku
LEFT JOIN products p ON p.sku = r.sku
WHERE l.available <= r.threshold;
