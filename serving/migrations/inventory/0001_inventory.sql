-- What came into the stock room. What left it is in the orders; the two meet in the `inventory` pipeline.

CREATE TABLE stock_movements (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sku        varchar(100) NOT NULL CHECK (sku <> ''),
    quantity   integer NOT NULL CHECK (quantity <> 0),
    reason     varchar(40) NOT NULL DEFAULT 'receipt',
    reference  varchar(100),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN stock_movements.quantity IS 'Units received; negative for units written off.';
COMMENT ON COLUMN stock_movements.reference IS 'The paper behind it: a delivery note, a stock-taking, an import.';
CREATE INDEX stock_movements_sku ON stock_movements (sku);

CREATE TABLE reorder_points (
    sku       varchar(100) PRIMARY KEY,
    threshold integer NOT NULL CHECK (threshold >= 0)
);
COMMENT ON TABLE reorder_points IS 'Fewer available units than this, and the article is reported as low on stock.';

ALTER TABLE stock_movements REPLICA IDENTITY FULL;
ALTER TABLE reorder_points REPLICA IDENTITY FULL;

CREATE PUBLICATION chimera FOR TABLE stock_movements, reorder_points;
