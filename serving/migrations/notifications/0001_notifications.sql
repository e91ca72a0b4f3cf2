-- What is sent to people and programs: to whom, and whether it was.

CREATE TABLE deliveries (
    id            uuid PRIMARY KEY,
    channel       text NOT NULL CHECK (channel IN ('email', 'webhook')),
    topic         varchar(100) NOT NULL,
    recipient     varchar(2048) NOT NULL,
    webhook_id    uuid,
    status        text NOT NULL CHECK (status IN ('sending', 'waiting', 'sent', 'dead', 'dropped')),
    attempts      integer NOT NULL,
    error         varchar(500),
    claimed_until timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE deliveries IS 'One row a message and recipient, kept for 90 days: a message that comes again under its id is not sent again.';
COMMENT ON COLUMN deliveries.id IS 'The message''s; of a webhook''s, made of that and the webhook''s.';
COMMENT ON COLUMN deliveries.recipient IS 'An address, or a URL. Empty: erased at the wish of whose address it was.';
COMMENT ON COLUMN deliveries.claimed_until IS 'Until then nobody else sends it, while its status is `sending`.';
CREATE INDEX deliveries_created_at ON deliveries (created_at, id);
CREATE INDEX deliveries_unsent ON deliveries (status, created_at, id) WHERE status <> 'sent';
CREATE INDEX deliveries_recipient ON deliveries (lower(recipient)) WHERE channel = 'email';

CREATE TABLE webhooks (
    id         uuid PRIMARY KEY,
    url        varchar(2048) NOT NULL CHECK (url <> ''),
    events     text[] NOT NULL CHECK (cardinality(events) > 0),
    is_active  boolean NOT NULL DEFAULT true,
    secret     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN webhooks.secret IS 'Sealed. What is sent there is signed with it.';
