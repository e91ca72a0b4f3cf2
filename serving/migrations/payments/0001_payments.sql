-- What the shop knows of its payments. The money is moved by a provider; the provider has the truth, this is the record of it.

CREATE TABLE payments (
    id           uuid PRIMARY KEY,
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    currency     varchar(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status       varchar(20) NOT NULL CHECK (status IN ('authorising', 'pending', 'authorised', 'declined', 'captured', 'voided')),
    decline_code varchar(100),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN payments.id IS 'Of the checkout too; the provider knows the payment by it, so that a call sent again does nothing again.';
COMMENT ON COLUMN payments.status IS 'authorising: the provider may have been asked. Goes forward only.';

CREATE TABLE refunds (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payments,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    done_at      timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_payment_id ON refunds (payment_id);

CREATE TABLE provider_events (
    id          varchar(100) PRIMARY KEY,
    payment_id  uuid NOT NULL,
    status      varchar(20) NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE provider_events IS 'What the provider told of its own accord; each event counts once, however often it comes.';
CREATE INDEX provider_events_received_at ON provider_events (received_at);
