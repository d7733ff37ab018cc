-- Hosts that workflows do not call for a while, because their requests failed; without a row a circuit is closed. Written when a circuit changes its
-- state, never for a request.
CREATE TABLE millrace.circuit (
  namespace text NOT NULL,
  host      text NOT NULL,                   -- with its port, when that is not the scheme's own
  opened_at timestamptz NOT NULL DEFAULT now(),
  retry_at  timestamptz NOT NULL,            -- not before then one request is let through, by whoever moves this on
  trips     integer NOT NULL DEFAULT 1,      -- times in a row that it was opened; the pause doubles with each
  requests  integer NOT NULL,                -- what was seen when it was opened first
  failures  integer NOT NULL,
  PRIMARY KEY (namespace, host)
);
CREATE INDEX circuit_by_retry ON millrace.circuit (retry_at);
