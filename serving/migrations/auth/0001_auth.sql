-- Who may come in: credentials, sessions, tokens, keys. Secrets are kept as hashes, or sealed with the key file of the installation; but for the
-- tokens in messages that are still to be sent.

CREATE TABLE credentials (
    user_id           uuid PRIMARY KEY,
    email             varchar(254) NOT NULL CHECK (email <> ''),
    password_hash     varchar(255) NOT NULL,
    role              text NOT NULL DEFAULT 'shopper' CHECK (role IN ('shopper', 'merchandiser', 'analyst', 'admin', 'service')),
    email_verified_at timestamptz,
    disabled_at       timestamptz,
    totp_secret       bytea,
    totp_enabled_at   timestamptz,
    totp_last_step    bigint,
    last_login_at     timestamptz,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX credentials_email ON credentials (lower(email));
COMMENT ON COLUMN credentials.password_hash IS 'argon2id in PHC form; bcrypt of accounts that were brought from elsewhere, until they next log in.';
COMMENT ON COLUMN credentials.totp_secret IS 'Sealed. Asked for at log-in once totp_enabled_at is set.';
COMMENT ON COLUMN credentials.totp_last_step IS 'The time step of the last code that was taken: a code is good once.';

CREATE TABLE recovery_codes (
    user_id   uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE recovery_codes IS 'Each stands in for a code of the second factor, once.';

CREATE TABLE login_attempts (
    email        varchar(254) PRIMARY KEY,
    failures     integer NOT NULL,
    locked_until timestamptz,
    last_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_attempts_last_at ON login_attempts (last_at);
COMMENT ON TABLE login_attempts IS
    'Attempts since the last success, by lower-case address, whether it has an account or not: so nobody learns which addresses have one.';

CREATE TABLE sessions (
    session_id   uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    user_agent   varchar(200) NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    ended_by     text CHECK (ended_by IN ('logout', 'reuse', 'password', 'admin'))
);
CREATE INDEX sessions_user_id ON sessions (user_id);

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CHECK (expires_at > issued_at)
);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
COMMENT ON TABLE refresh_tokens IS 'A session''s tokens, one after the other. One that comes a second time was stolen, or its answer was: the session ends.';

CREATE TABLE one_time_tokens (
    token_hash bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    purpose    text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
    email      varchar(254) NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX one_time_tokens_user_id ON one_time_tokens (user_id, purpose);

CREATE TABLE api_keys (
    key_id       uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    name         varchar(100) NOT NULL CHECK (name <> ''),
    key_hash     bytea NOT NULL UNIQUE,
    read_only    boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_user_id ON api_keys (user_id);

CREATE TABLE signing_keys (
    key_id     text PRIMARY KEY,
    sealed     bytea NOT NULL,
    public     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE signing_keys IS 'Ed25519 key pairs that sign access tokens: PKCS#8, sealed; and the public half as it is.';

CREATE TABLE outbox (
    message_id uuid PRIMARY KEY,
    topic      text NOT NULL,
    email      varchar(254) NOT NULL,
    data       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_created_at ON outbox (created_at);
COMMENT ON TABLE outbox IS 'Messages to people, written with what they tell of and sent from here. Who has sent one removes it.';
