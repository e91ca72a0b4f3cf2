-- store: search_index.products, search_index.product_documents
SELECT p.id, p.sku, p.name, p.description, b.name AS brand, c.name AS category, p.base_price_cents AS price_cents, p.currency,
       coalesce((SELECT sum(quantity) FROM stock_movements m WHERE m.sku = p.sku), 0)
         - coalesce((SELECT sum(quantity) FROM order_items i WHERE i.sku = p.sku), 0) AS available,
       coalesce((SELECT sum(quantity) FROM order_items i WHERE i.sku = p.sku AND quantity > 0), 0) AS popularity,
       (SELECT i.id FROM product_images i WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1) AS image_id
FROM products p
LEFT JOIN brands b ON b.id = p.brand_id
LEFT JOIN categories c ON c.id = p.category_id
WHERE p.is_active;

-- store: search_index.sku_ids
SELECT sku, id FROM products WHERE is_active;
