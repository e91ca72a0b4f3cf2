-- For the audit trail.
ALTER TABLE warehouses REPLICA IDENTITY FULL;
ALTER PUBLICATION chimera ADD TABLE warehouses;
