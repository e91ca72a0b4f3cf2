-- For the audit trail, which is kept for ever: that something was changed and when, not who people are and where they live.
CREATE PUBLICATION chimera FOR TABLE
    users (id, preferred_currency, marketing_opt_in, created_at, updated_at),
    user_addresses (id, user_id, address_type, is_default, created_at, updated_at);
