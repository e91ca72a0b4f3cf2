-- For the audit trail: which webhooks there are. Not their secrets, nor who was written to.
CREATE PUBLICATION chimera FOR TABLE webhooks (id, url, events, is_active, created_at, updated_at);
