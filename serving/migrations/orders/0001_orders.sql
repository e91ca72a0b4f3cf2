-- Orders and their lines. An order and everything that it touches is written in one transaction; nothing of it is changed afterwards
-- except its status: a cancellation is an order of its own, with negative lines.

CREATE TABLE orders (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number      varchar(40) NOT NULL UNIQUE CHECK (number <> ''),
    kind        varchar(20) NOT NULL DEFAULT 'order' CHECK (kind IN ('order', 'cancellation')),
    customer_id varchar(64),
    country     varchar(60) NOT NULL,
    currency    varchar(3) NOT NULL DEFAULT 'GBP' CHECK (currency ~ '^[A-Z]{3}$'),
    status      varchar(20) NOT NULL DEFAULT 'placed',
    placed_at   timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN orders.number IS 'What people call the order by.';
COMMENT ON COLUMN orders.customer_id IS 'Null: bought as a guest.';
COMMENT ON COLUMN orders.placed_at IS 'When the shopper ordered; created_at is when this row was written.';
CREATE INDEX orders_placed_at ON orders (placed_at);

CREATE TABLE order_items (
    order_id   uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line_no    integer NOT NULL CHECK (line_no > 0),
    sku        varchar(100) NOT NULL CHECK (sku <> ''),
    quantity   integer NOT NULL,
    unit_price numeric(12, 3) NOT NULL,
    PRIMARY KEY (order_id, line_no)
);
COMMENT ON COLUMN order_items.quantity IS 'Negative: taken back.';
COMMENT ON COLUMN order_items.unit_price IS 'In units of the order''s currency, copied from the catalogue when the order was placed. Negative on book-keeping corrections.';

CREATE TABLE allocations (
    sku      varchar(100) PRIMARY KEY,
    quantity bigint NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE allocations IS
    'Units promised to orders so far, less those taken back: locked, compared with the units received, and raised inside the order''s own transaction, so that stock is never oversold. Not published.';

CREATE TABLE idempotency_keys (
    key          varchar(200) PRIMARY KEY,
    request_hash bytea NOT NULL,
    status       integer,
    response     jsonb,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE idempotency_keys IS 'What was answered to a request that carried an Idempotency-Key, so that it can be answered again. Not published.';
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE order_items REPLICA IDENTITY FULL;

CREATE PUBLICATION chimera FOR TABLE orders, order_items;
