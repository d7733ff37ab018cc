-- How large pools are and may become, as the operator says, for those who watch: they need not be allowed to read Kubernetes objects.
CREATE TABLE millrace.pool_size (
  pool           text PRIMARY KEY,
  mode           text NOT NULL CHECK (mode IN ('Fixed', 'Queue', 'External')),
  desired        integer NOT NULL,
  min_replicas   integer NOT NULL,
  max_replicas   integer NOT NULL,
  target_wait_ms integer,
  change         jsonb                       -- the last one: time, from, to, reason, message
);
