-- Orders that are paid for, and the way to them.

-- Of orders that came through the checkout; others (imports, orders that are paid elsewhere) have none of these.
ALTER TABLE orders
    ADD COLUMN parent_id      uuid REFERENCES orders,
    ADD COLUMN subtotal_cents bigint CHECK (subtotal_cents >= 0),
    ADD COLUMN discount_cents bigint CHECK (discount_cents >= 0),
    ADD COLUMN shipping_cents bigint CHECK (shipping_cents >= 0),
    ADD COLUMN tax_cents      bigint CHECK (tax_cents >= 0),
    ADD COLUMN total_cents    bigint CHECK (total_cents >= 0);
COMMENT ON COLUMN orders.parent_id IS 'Of a cancellation: the order that it takes back, or a part of it.';
COMMENT ON COLUMN orders.tax_cents IS 'Within total_cents, whether the prices have it in them or not.';
CREATE INDEX orders_customer_id ON orders (customer_id, id);
CREATE INDEX orders_parent_id ON orders (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE order_items
    ADD COLUMN name       varchar(255),
    ADD COLUMN paid_cents bigint CHECK (paid_cents >= 0);
COMMENT ON COLUMN order_items.paid_cents IS 'What the whole line cost, after discounts and with tax: what its return brings back.';

CREATE TABLE order_contacts (
    order_id uuid PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    email    varchar(254),
    shipping jsonb NOT NULL,
    billing  jsonb NOT NULL
);
COMMENT ON TABLE order_contacts IS 'Who gets the order, and where. About people: not published to the pipelines, whose stores are kept for long.';

CREATE TABLE order_events (
    id          uuid PRIMARY KEY,
    order_id    uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    status      varchar(20) NOT NULL,
    actor       varchar(64) NOT NULL,
    note        varchar(500),
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_events_order_id ON order_events (order_id, id);
COMMENT ON COLUMN order_events.actor IS 'The account that brought it about, or `system`.';

CREATE TABLE shipments (
    id              uuid PRIMARY KEY,
    order_id        uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    carrier         varchar(100) NOT NULL,
    tracking_number varchar(100),
    shipped_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz
);
CREATE INDEX shipments_order_id ON shipments (order_id);

CREATE TABLE shipment_items (
    shipment_id uuid NOT NULL REFERENCES shipments ON DELETE CASCADE,
    line_no     integer NOT NULL,
    quantity    integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shipment_id, line_no)
);

CREATE TABLE returns (
    id           uuid PRIMARY KEY,
    order_id     uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    status       varchar(20) NOT NULL CHECK (status IN ('requested', 'received', 'refused')),
    reason       varchar(500) NOT NULL,
    refund_cents bigint NOT NULL CHECK (refund_cents >= 0),
    requested_at timestamptz NOT NULL DEFAULT now(),
    decided_at   timestamptz
);
CREATE INDEX returns_order_id ON returns (order_id);

CREATE TABLE return_items (
    return_id uuid NOT NULL REFERENCES returns ON DELETE CASCADE,
    line_no   integer NOT NULL,
    quantity  integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (return_id, line_no)
);

CREATE TABLE checkouts (
    id              uuid PRIMARY KEY,
    scope           bytea NOT NULL,
    idempotency_key varchar(200) NOT NULL,
    request_hash    bytea NOT NULL,
    user_id         uuid,
    cart_id         uuid NOT NULL,
    details         jsonb NOT NULL,
    payment_token   varchar(200),
    total_cents     bigint NOT NULL CHECK (total_cents >= 0),
    currency        varchar(3) NOT NULL,
    state           varchar(20) NOT NULL
        CHECK (state IN ('reserved', 'authorised', 'ordered', 'captured', 'completed', 'releasing', 'failed')),
    problem         jsonb,
    expires_at      timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    run_at          timestamptz NOT NULL DEFAULT now(),
    claim           uuid,
    claimed_until   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (scope, idempotency_key)
);
COMMENT ON TABLE checkouts IS
    'A purchase on its way: the state says which steps are done. Its id is that of the payment, of the coupons'' redemption and, later, of the order. Not published.';
COMMENT ON COLUMN checkouts.scope IS 'Whose key it is: the account''s id, or the hash of the guest''s token.';
COMMENT ON COLUMN checkouts.expires_at IS 'Units are held for an unpaid purchase no longer than this.';
COMMENT ON COLUMN checkouts.claim IS 'Who takes the next step, until claimed_until: whoever comes later, or has lost its claim, leaves it alone.';
CREATE INDEX checkouts_due ON checkouts (run_at) WHERE state NOT IN ('completed', 'failed');

CREATE TABLE reservations (
    checkout_id uuid NOT NULL REFERENCES checkouts ON DELETE CASCADE,
    sku         varchar(100) NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (checkout_id, sku)
);
COMMENT ON TABLE reservations IS
    'Units within `allocations` that are held for a purchase which is no order yet. The rows go when it becomes one, or comes to nothing.';

CREATE TABLE refunds (
    id           uuid PRIMARY KEY,
    order_id     uuid NOT NULL REFERENCES orders,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    attempts     integer NOT NULL DEFAULT 0,
    run_at       timestamptz NOT NULL DEFAULT now(),
    done_at      timestamptz,
    problem      text,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE refunds IS 'Money that is to be given back: written with what it is for, and asked of the payment service until it is done.';
CREATE INDEX refunds_order_id ON refunds (order_id);
CREATE INDEX refunds_due ON refunds (run_at) WHERE done_at IS NULL;
