-- The catalogue: what the shop offers. Every table is published to the pipelines with its whole old row (REPLICA IDENTITY FULL),
-- so that an update or a delete can retract exactly what was there.

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TABLE categories (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        varchar(100) NOT NULL UNIQUE CHECK (name <> ''),
    description text,
    parent_id   uuid REFERENCES categories (id),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (parent_id <> id)
);
COMMENT ON TABLE categories IS 'A tree of shop categories; products stand in its leaves or in none.';
CREATE INDEX categories_parent_id ON categories (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE brands (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        varchar(100) NOT NULL UNIQUE CHECK (name <> ''),
    description text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE products (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sku              varchar(100) NOT NULL UNIQUE CHECK (sku <> ''),
    name             varchar(255) NOT NULL,
    description      text,
    category_id      uuid REFERENCES categories (id),
    brand_id         uuid REFERENCES brands (id),
    base_price_cents integer NOT NULL CHECK (base_price_cents >= 0),
    currency         varchar(3) NOT NULL DEFAULT 'GBP' CHECK (currency ~ '^[A-Z]{3}$'),
    is_active        boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN products.sku IS 'Stock-keeping unit: what orders and stock movements name. Case matters.';
COMMENT ON COLUMN products.base_price_cents IS 'In hundredths of the currency; the price an order pays unless its variant has one of its own.';
COMMENT ON COLUMN products.is_active IS 'Only active products are shown and sold; rows are kept for the orders that name them.';
CREATE INDEX products_category_id ON products (category_id);
CREATE INDEX products_brand_id ON products (brand_id);

CREATE TABLE product_variants (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    product_id  uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    variant_sku varchar(100) NOT NULL UNIQUE CHECK (variant_sku <> ''),
    attributes  jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(attributes) = 'object'),
    price_cents integer CHECK (price_cents >= 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN product_variants.price_cents IS 'Null: the product''s base price.';
CREATE INDEX product_variants_product_id ON product_variants (product_id);

CREATE TABLE product_images (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    product_id uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    position   integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    media_type varchar(50) NOT NULL CHECK (media_type LIKE 'image/%'),
    content    bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 10485760),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (product_id, position)
);
COMMENT ON COLUMN product_images.position IS '0 is the picture that stands for the product.';
COMMENT ON COLUMN product_images.content IS 'The encoded picture, at most 10 MiB.';
-- Pictures are compressed already: keep them out of line and do not try again.
ALTER TABLE product_images ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TRIGGER categories_touch BEFORE UPDATE ON categories FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER brands_touch BEFORE UPDATE ON brands FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER products_touch BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER product_variants_touch BEFORE UPDATE ON product_variants FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE categories REPLICA IDENTITY FULL;
ALTER TABLE brands REPLICA IDENTITY FULL;
ALTER TABLE products REPLICA IDENTITY FULL;
ALTER TABLE product_variants REPLICA IDENTITY FULL;
ALTER TABLE product_images REPLICA IDENTITY FULL;

CREATE PUBLICATION chimera FOR TABLE categories, brands, products, product_variants, product_images;
