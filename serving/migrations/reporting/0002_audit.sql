-- The audit trail, which the pipeline `audit` writes: made here so that it has the indexes that searches of it need.
CREATE TABLE IF NOT EXISTS audit (
    topic          text NOT NULL,
    "offset"       bigint NOT NULL,
    op             text,
    transaction_id text,
    committed_ms   bigint,
    before         text,
    after          text,
    PRIMARY KEY (topic, "offset")
);
ALTER TABLE audit ADD COLUMN IF NOT EXISTS row_key text;
COMMENT ON COLUMN audit.row_key IS 'The values of the columns that tell the rows of the table apart, with `/` between them.';
CREATE INDEX audit_committed ON audit (committed_ms, topic, "offset");
CREATE INDEX audit_row_key ON audit (row_key COLLATE "C");
