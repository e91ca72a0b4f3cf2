-- A vector for each picture of a product on sale, so that a picture finds products.

CREATE TABLE product_images (
    id TEXT PRIMARY KEY, product_id TEXT, content BYTEA
) WITH (connector = 'kafka', topic = 'catalog.public.product_images', format = 'debezium_json', type = 'source');

CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT, is_active BOOLEAN
) WITH (connector = 'kafka', topic = 'catalog.public.products', format = 'debezium_json', type = 'source');

CREATE TABLE images (
    image_id TEXT PRIMARY KEY, product_id TEXT, sku TEXT, embedding FLOAT[]
) WITH (connector = 'vector', type = 'sink', index = 'products', embedding = 'embedding');

-- A view of its own, so that the picture's bytes go no further than its vector.
CREATE VIEW vectors AS
    SELECT id, product_id, image_embedding(content) AS embedding FROM product_images;

-- A picture that cannot be read has no vector.
INSERT INTO images
    SELECT v.id, v.product_id, p.sku, v.embedding
    FROM vectors v JOIN products p ON p.id = v.product_id
    WHERE p.is_active AND v.embedding IS NOT NULL;
