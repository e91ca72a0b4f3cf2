-- For the audit trail.
ALTER TABLE flags REPLICA IDENTITY FULL;
ALTER TABLE experiments REPLICA IDENTITY FULL;
CREATE PUBLICATION chimera FOR TABLE flags, experiments;
