-- Where stock lies, and bookings that are made once however often they are sent.

CREATE TABLE warehouses (
    id         uuid PRIMARY KEY,
    code       varchar(20) NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9-]*$'),
    name       varchar(100) NOT NULL CHECK (name <> ''),
    country    varchar(60) CHECK (country <> ''),
    is_active  boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN warehouses.code IS 'What people and programs call it by; never changed.';
COMMENT ON COLUMN warehouses.country IS 'Null: not said yet.';
COMMENT ON COLUMN warehouses.is_active IS 'Nothing comes into one that is not; what it holds can still be taken out.';

INSERT INTO warehouses (id, code, name) VALUES ('019aa000-0000-7000-8000-000000000001', 'MAIN', 'Main warehouse');

-- Rows are updated, not given the column with a default: so each change of a row is in the log of changes, and the audit trail leads to what
-- the table holds.
ALTER TABLE stock_movements ADD COLUMN warehouse_id uuid, ADD COLUMN booked_by uuid;
UPDATE stock_movements SET warehouse_id = '019aa000-0000-7000-8000-000000000001';
ALTER TABLE stock_movements
    ALTER COLUMN warehouse_id SET DEFAULT '019aa000-0000-7000-8000-000000000001',
    ALTER COLUMN warehouse_id SET NOT NULL,
    ADD FOREIGN KEY (warehouse_id) REFERENCES warehouses;
COMMENT ON COLUMN stock_movements.warehouse_id IS 'MAIN if an importer does not say.';
COMMENT ON COLUMN stock_movements.booked_by IS 'The account; null: an importer, or who runs the server.';

-- The history of an article, newest first.
CREATE INDEX stock_movements_history ON stock_movements (sku, created_at, id);
DROP INDEX stock_movements_sku;

CREATE TABLE stock_levels (
    warehouse_id uuid NOT NULL REFERENCES warehouses,
    sku          varchar(100) NOT NULL,
    quantity     bigint NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (warehouse_id, sku)
) WITH (fillfactor = 70);
CREATE INDEX stock_levels_sku ON stock_levels (sku);
COMMENT ON TABLE stock_levels IS
    'The sum of the movements of an article in a warehouse, kept by triggers in the transaction that writes them. Sales do not know warehouses: they are not taken off. Not published.';

INSERT INTO stock_levels (warehouse_id, sku, quantity) SELECT warehouse_id, sku, sum(quantity) FROM stock_movements GROUP BY warehouse_id, sku;

-- A trigger, not the routes: importers write movements too. Once a statement, so that all its levels are locked in one order, that of their keys.
CREATE FUNCTION keep_stock_levels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes stock_levels[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(ROW(warehouse_id, sku, quantity)::stock_levels) INTO changes FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(ROW(warehouse_id, sku, -quantity)::stock_levels) INTO changes FROM removed;
    ELSE
        SELECT array_agg(ROW(warehouse_id, sku, quantity)::stock_levels) INTO changes
          FROM (SELECT warehouse_id, sku, quantity FROM added UNION ALL SELECT warehouse_id, sku, -quantity FROM removed) AS changed;
    END IF;
    INSERT INTO stock_levels (warehouse_id, sku, quantity)
        SELECT DISTINCT change.warehouse_id, change.sku, 0 FROM unnest(changes) AS change ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
    PERFORM FROM stock_levels
      WHERE (warehouse_id, sku) IN (SELECT change.warehouse_id, change.sku FROM unnest(changes) AS change)
      ORDER BY warehouse_id, sku FOR UPDATE;
    UPDATE stock_levels SET quantity = stock_levels.quantity + total.quantity
      FROM (SELECT change.warehouse_id, change.sku, sum(change.quantity)::bigint AS quantity FROM unnest(changes) AS change GROUP BY 1, 2) AS total
      WHERE stock_levels.warehouse_id = total.warehouse_id AND stock_levels.sku = total.sku;
    RETURN NULL;
END
$$;
CREATE TRIGGER stock_movements_added AFTER INSERT ON stock_movements
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_stock_levels();
CREATE TRIGGER stock_movements_changed AFTER UPDATE ON stock_movements
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_stock_levels();
CREATE TRIGGER stock_movements_removed AFTER DELETE ON stock_movements
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION keep_stock_levels();

CREATE TABLE idempotency_keys (
    owner        uuid NOT NULL,
    key          varchar(200) NOT NULL,
    request_hash bytea NOT NULL,
    response     jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
COMMENT ON TABLE idempotency_keys IS 'What was answered to a booking that carried an Idempotency-Key, written in its own transaction. Not published.';
COMMENT ON COLUMN idempotency_keys.owner IS 'The account whose key it is; all zeros: who runs the server.';
