-- Experiments: variants of a flag that are compared.

CREATE TABLE experiments (
    key         varchar(100) PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9._-]*$'),
    flag_key    varchar(100) NOT NULL REFERENCES flags (key),
    description varchar(500),
    shares      jsonb NOT NULL,
    control     varchar(100) NOT NULL,
    window_days integer NOT NULL CHECK (window_days BETWEEN 1 AND 90),
    salt        varchar(32) NOT NULL CHECK (salt <> ''),
    status      varchar(20) NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'running', 'stopped')),
    version     bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    started_at  timestamptz,
    stopped_at  timestamptz,
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'draft') = (started_at IS NULL)),
    CHECK ((status = 'stopped') = (stopped_at IS NOT NULL))
);
CREATE UNIQUE INDEX experiments_running ON experiments (flag_key) WHERE status = 'running';
COMMENT ON INDEX experiments_running IS 'One running experiment a flag.';
COMMENT ON COLUMN experiments.shares IS 'Basis points by variant. They do not change once it has run.';
COMMENT ON COLUMN experiments.control IS 'The variant that the others are compared with.';
COMMENT ON COLUMN experiments.window_days IS 'An order counts if it is placed within so many days after somebody was first exposed.';
COMMENT ON COLUMN experiments.salt IS 'Of its own: who had the new variant in the last experiment of the flag is spread over all variants of this one.';
COMMENT ON COLUMN experiments.created_by IS 'The user_id of the account, in the database `auth`; null: who runs the server.';
