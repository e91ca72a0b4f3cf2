-- What merchandisers change through the API: versions that tell one state of a row from the next, the history of prices, large pictures.

CREATE FUNCTION raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;

ALTER TABLE categories ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE brands ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE products ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE product_variants ADD COLUMN version bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN categories.version IS 'Raised by every update; what ETag and If-Match carry.';
COMMENT ON COLUMN brands.version IS 'Raised by every update; what ETag and If-Match carry.';
COMMENT ON COLUMN products.version IS 'Raised by every update of the product and of its list of pictures; what ETag and If-Match carry.';
COMMENT ON COLUMN product_variants.version IS 'Raised by every update; what ETag and If-Match carry.';
CREATE TRIGGER categories_version BEFORE UPDATE ON categories FOR EACH ROW EXECUTE FUNCTION raise_version();
CREATE TRIGGER brands_version BEFORE UPDATE ON brands FOR EACH ROW EXECUTE FUNCTION raise_version();
CREATE TRIGGER products_version BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION raise_version();
CREATE TRIGGER product_variants_version BEFORE UPDATE ON product_variants FOR EACH ROW EXECUTE FUNCTION raise_version();

COMMENT ON TABLE categories IS 'A tree of shop categories; a product stands in one of them or in none. Names are unique in the whole tree: search and imports tell categories by them.';

-- No row of it is ever changed. It is not published: the audit trail follows `products` itself.
CREATE TABLE price_changes (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id      uuid NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    sku             varchar(100) NOT NULL,
    old_price_cents integer,
    new_price_cents integer,
    old_currency    varchar(3) NOT NULL,
    new_currency    varchar(3) NOT NULL,
    changed_by      uuid,
    changed_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN price_changes.sku IS 'The product''s own, or one of its variants''.';
COMMENT ON COLUMN price_changes.old_price_cents IS 'Null: a variant that had its product''s price.';
COMMENT ON COLUMN price_changes.changed_by IS 'The account, as the setting chimera.changed_by named it; null: the operator, or a statement by hand.';
CREATE INDEX price_changes_product_id ON price_changes (product_id, id);

CREATE FUNCTION record_price_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    by_whom uuid := nullif(current_setting('chimera.changed_by', true), '')::uuid;
BEGIN
    IF TG_TABLE_NAME = 'products' THEN
        INSERT INTO price_changes (product_id, sku, old_price_cents, new_price_cents, old_currency, new_currency, changed_by)
        VALUES (NEW.id, NEW.sku, OLD.base_price_cents, NEW.base_price_cents, OLD.currency, NEW.currency, by_whom);
    ELSE
        INSERT INTO price_changes (product_id, sku, old_price_cents, new_price_cents, old_currency, new_currency, changed_by)
        SELECT NEW.product_id, NEW.variant_sku, OLD.price_cents, NEW.price_cents, currency, currency, by_whom
          FROM products WHERE id = NEW.product_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER products_price AFTER UPDATE ON products FOR EACH ROW
    WHEN ((OLD.base_price_cents, OLD.currency) IS DISTINCT FROM (NEW.base_price_cents, NEW.currency))
    EXECUTE FUNCTION record_price_change();
CREATE TRIGGER product_variants_price AFTER UPDATE ON product_variants FOR EACH ROW
    WHEN (OLD.price_cents IS DISTINCT FROM NEW.price_cents)
    EXECUTE FUNCTION record_price_change();

ALTER TABLE product_images
    ADD COLUMN large_width_px integer CHECK (large_width_px > 0),
    ADD COLUMN large_height_px integer CHECK (large_height_px > 0),
    ADD CHECK ((large_width_px IS NULL) = (large_height_px IS NULL));
COMMENT ON COLUMN product_images.large_width_px IS 'Of the rendition in the picture store, under pictures/<id>; null: there is none, `content` is all.';
COMMENT ON COLUMN product_images.content IS 'The encoded picture, at most 10 MiB; of an uploaded one a preview. What search by picture looks at.';
