-- store: visual_index.images
SELECT i.id AS image_id, i.product_id, p.sku FROM product_images i JOIN products p ON p.id = i.product_id WHERE p.is_active;
