-- Units on their way out of the stock room.

CREATE TABLE withdrawals (
    id         uuid PRIMARY KEY,
    sku        varchar(100) NOT NULL,
    quantity   bigint NOT NULL CHECK (quantity > 0),
    position   bigint,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE withdrawals IS
    'Units within `allocations` that are being written off: promised to nobody until `received` no longer has them. Its id is that of the stock movement. Not published.';
COMMENT ON COLUMN withdrawals.position IS
    'A place in the changes of the database `inventory` behind the movement. Null: not known yet whether the movement was written.';
CREATE INDEX withdrawals_created_at ON withdrawals (created_at);
