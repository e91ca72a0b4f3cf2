-- Derived tables for psql, Grafana and the like. The pipelines' PostgreSQL sinks make and write them; nobody else does.
COMMENT ON SCHEMA public IS 'Reports kept up to date by Chimera''s pipelines; see chimera status for how old each one is.';
