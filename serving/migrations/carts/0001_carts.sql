-- What shoppers mean to buy. Redis has copies of the carts in use; this is the truth.

CREATE TABLE carts (
    id               uuid PRIMARY KEY,
    user_id          uuid UNIQUE,
    guest_hash       bytea UNIQUE CHECK (length(guest_hash) = 32),
    version          bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    last_accessed_at timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CHECK ((user_id IS NULL) <> (guest_hash IS NULL))
);
CREATE INDEX carts_of_guests ON carts (last_accessed_at) WHERE user_id IS NULL;
CREATE INDEX carts_of_accounts ON carts (last_accessed_at) WHERE user_id IS NOT NULL;
COMMENT ON COLUMN carts.user_id IS 'Of the account, in the database `auth`.';
COMMENT ON COLUMN carts.guest_hash IS 'Of the token that a guest holds. Who logs in takes the cart along.';
COMMENT ON COLUMN carts.version IS 'Counts the changes: raised in the transaction of each, so that a cart and a version have one content.';
COMMENT ON COLUMN carts.last_accessed_at IS 'To the hour. A cart that nobody touches for long is removed.';

CREATE TABLE cart_items (
    cart_id     uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    sku         varchar(100) NOT NULL CHECK (sku <> ''),
    quantity    integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    price_cents bigint NOT NULL CHECK (price_cents >= 0),
    currency    varchar(3) NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, sku)
);
COMMENT ON COLUMN cart_items.price_cents IS 'What it cost when the shopper last put it in: to tell of a change, never to charge.';

CREATE TABLE cart_additions (
    cart_id  uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    key      varchar(200) NOT NULL,
    sku      varchar(100) NOT NULL,
    quantity integer NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, key)
);
CREATE INDEX cart_additions_added_at ON cart_additions (added_at);
COMMENT ON TABLE cart_additions IS 'Additions that came with an Idempotency-Key: one that comes again within a day adds nothing.';

CREATE TABLE bought_checkouts (
    checkout_id uuid PRIMARY KEY,
    bought_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bought_checkouts_bought_at ON bought_checkouts (bought_at);
COMMENT ON TABLE bought_checkouts IS 'Checkouts whose articles were taken out of their cart: once, however often they say so.';

CREATE TABLE merged_carts (
    cart_id   uuid PRIMARY KEY,
    into_id   uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    merged_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX merged_carts_into_id ON merged_carts (into_id);
CREATE INDEX merged_carts_merged_at ON merged_carts (merged_at);
COMMENT ON TABLE merged_carts IS 'Where the articles of a guest went who logged in while a checkout of that cart was on its way.';
