-- What buyers and programs are told of orders.

CREATE TABLE outbox (
    message_id uuid PRIMARY KEY,
    topic      text NOT NULL,
    email      varchar(254),
    data       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_created_at ON outbox (created_at);
COMMENT ON TABLE outbox IS 'Messages, written with what they tell of. Whoever has handed one to the broker removes it. Not published.';
