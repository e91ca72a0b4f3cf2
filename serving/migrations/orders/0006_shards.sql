-- Orders may be spread over several databases of this schema. The first, `orders`, is home: only there are rows in allocations, checkouts,
-- reservations, withdrawals, allocated_changes and placements.

CREATE TABLE shards (
    is_row boolean PRIMARY KEY DEFAULT true CHECK (is_row),
    count  integer NOT NULL CHECK (count > 0),
    home   uuid NOT NULL DEFAULT gen_random_uuid(),
    number integer NOT NULL DEFAULT 0 CHECK (number BETWEEN 0 AND count - 1)
);
COMMENT ON TABLE shards IS 'Over how many databases the orders are spread, and which of them this is. Not published.';
COMMENT ON COLUMN shards.home IS 'Made at home, and the same in all of them.';
INSERT INTO shards (count) SELECT 1 WHERE EXISTS (SELECT FROM allocations);

CREATE TABLE allocation_changes (
    id         uuid NOT NULL,
    sku        varchar(100) NOT NULL,
    quantity   bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, sku)
);
COMMENT ON TABLE allocation_changes IS
    'Anywhere but at home: what is to be added to `allocations`, written with what it is for and removed once it was. Negative: given back. Not published.';

CREATE TABLE allocated_changes (
    id         uuid PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX allocated_changes_applied_at ON allocated_changes (applied_at);
COMMENT ON TABLE allocated_changes IS 'At home: the changes that `allocations` has already, so that each counts once. Not published.';

CREATE TABLE placements (
    order_id   uuid PRIMARY KEY,
    placed     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE placements IS
    'At home: orders whose units are allocated, and which are still to be written where they belong. Orders of the checkout are not among them. Not published.';
