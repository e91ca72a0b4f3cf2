-- The books of the simulated payment provider. Nothing of the shop's reads them.

CREATE TABLE payments (
    id             uuid PRIMARY KEY,
    token          varchar(200),
    amount_cents   bigint NOT NULL CHECK (amount_cents >= 0),
    currency       varchar(3) NOT NULL,
    status         varchar(20) NOT NULL CHECK (status IN ('pending', 'authorised', 'declined', 'captured', 'voided')),
    decline_code   varchar(100),
    refunded_cents bigint NOT NULL DEFAULT 0 CHECK (refunded_cents BETWEEN 0 AND amount_cents),
    settles_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN payments.settles_at IS 'When a pending payment is decided.';
CREATE INDEX payments_settles_at ON payments (settles_at) WHERE settles_at IS NOT NULL;

CREATE TABLE movements (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payments,
    kind         varchar(10) NOT NULL CHECK (kind IN ('capture', 'refund')),
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    moved_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE movements IS 'Money that changed hands, one row a movement.';

CREATE TABLE events (
    id         uuid NOT NULL,
    delivery   integer NOT NULL,
    body       text NOT NULL,
    due_at     timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    PRIMARY KEY (id, delivery)
);
COMMENT ON TABLE events IS 'What is to be told to the shop; a row goes when the shop has said that it has it.';
CREATE INDEX events_due_at ON events (due_at);
