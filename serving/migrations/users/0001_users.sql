-- Who the accounts' people are, and where they live.

CREATE TABLE users (
    id                 uuid PRIMARY KEY,
    first_name         varchar(100) NOT NULL CHECK (first_name <> ''),
    last_name          varchar(100) NOT NULL CHECK (last_name <> ''),
    phone_number       varchar(20),
    preferred_currency char(3) NOT NULL DEFAULT 'USD',
    marketing_opt_in   boolean NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN users.id IS 'The user_id of the account, in the database `auth`.';

CREATE TABLE user_addresses (
    id             uuid PRIMARY KEY,
    user_id        uuid NOT NULL,
    address_type   varchar(50) NOT NULL CHECK (address_type IN ('shipping', 'billing', 'home', 'work')),
    recipient      varchar(200) NOT NULL,
    address_line_1 varchar(255) NOT NULL,
    address_line_2 varchar(255),
    city           varchar(100) NOT NULL,
    state_province varchar(100),
    postal_code    varchar(20) NOT NULL,
    country        varchar(60) NOT NULL,
    is_default     boolean NOT NULL DEFAULT false,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_addresses_user_id ON user_addresses (user_id, address_type);
CREATE UNIQUE INDEX user_addresses_default ON user_addresses (user_id, address_type) WHERE is_default;
COMMENT ON COLUMN user_addresses.user_id IS 'Of the account; it need not have a profile yet.';
COMMENT ON INDEX user_addresses_default IS 'One default a type.';
