-- Feature flags, and the experiments that run on them. Every change of either raises the one revision, in its own transaction: servers
-- look at that number to learn whether what they hold is still what stands here.

CREATE TABLE flag_revision (
    id       boolean PRIMARY KEY DEFAULT true CHECK (id),
    revision bigint NOT NULL
);
COMMENT ON TABLE flag_revision IS
    'One row. Who changes a flag or an experiment raises it first, and so holds its lock: changes come one after the other.';
INSERT INTO flag_revision (revision) VALUES (1);

CREATE TABLE flags (
    key         varchar(100) PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9._-]*$'),
    definition  jsonb NOT NULL,
    salt        varchar(32) NOT NULL CHECK (salt <> ''),
    version     bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    archived_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN flags.definition IS 'Type, variants, rules and the rest: the document that PUT takes.';
COMMENT ON COLUMN flags.salt IS 'Made once: who is in the first tenth of one flag is not in the first tenth of every flag.';
COMMENT ON COLUMN flags.version IS 'The ETag. One more with every change.';
COMMENT ON COLUMN flags.archived_at IS 'Not evaluated any more. The key stays taken, so that old programs never meet a new meaning.';

CREATE TABLE flag_changes (
    id         uuid PRIMARY KEY,
    flag_key   varchar(100) NOT NULL REFERENCES flags (key),
    version    bigint NOT NULL,
    action     varchar(20) NOT NULL CHECK (action IN ('created', 'changed', 'archived')),
    before     jsonb,
    changed_by uuid,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (flag_key, version),
    CHECK ((before IS NULL) = (action = 'created'))
);
COMMENT ON COLUMN flag_changes.version IS 'Of the flag after the change.';
COMMENT ON COLUMN flag_changes.before IS 'The definition that the change replaced.';
COMMENT ON COLUMN flag_changes.changed_by IS 'The user_id of the account, in the database `auth`; null: who runs the server.';
