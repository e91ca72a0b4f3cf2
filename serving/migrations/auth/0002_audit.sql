-- For the audit trail, which is kept for ever: only columns that are no secret and say nothing that would have to be forgotten with the account.
-- So old rows have their key alone: whole ones would need every column.
CREATE PUBLICATION chimera FOR TABLE
    credentials (user_id, role, email_verified_at, disabled_at, totp_enabled_at, created_at, updated_at),
    sessions (session_id, user_id, created_at, ended_at, ended_by),
    api_keys (key_id, user_id, read_only, created_at, expires_at),
    signing_keys (key_id, created_at);
