-- The rows of an execution as Millrace writes them, in tables with nothing but a key.
CREATE TABLE bare_queue (
  id uuid PRIMARY KEY, pool text NOT NULL, namespace text NOT NULL, workflow text NOT NULL, uid text NOT NULL, revision bytea NOT NULL, mode text NOT NULL,
  state text NOT NULL, priority smallint NOT NULL, rank timestamptz NOT NULL, run_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz,
  claimed_at timestamptz, runner text, fence integer NOT NULL DEFAULT 0, save_success text NOT NULL, save_failure text NOT NULL, reply_to text, trigger bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE TABLE bare_execution (
  id uuid PRIMARY KEY, pool text NOT NULL, namespace text NOT NULL, workflow text NOT NULL, uid text NOT NULL, revision bytea NOT NULL, mode text NOT NULL,
  status text NOT NULL, priority smallint NOT NULL, created_at timestamptz NOT NULL, started_at timestamptz, finished_at timestamptz NOT NULL DEFAULT now(), runner text,
  fence integer NOT NULL, kept text NOT NULL, brief bytea NOT NULL, response bytea, data bytea
);
ALTER TABLE bare_queue ALTER COLUMN trigger SET STORAGE EXTERNAL;
ALTER TABLE bare_execution ALTER COLUMN brief SET STORAGE EXTERNAL, ALTER COLUMN response SET STORAGE EXTERNAL, ALTER COLUMN data SET STORAGE EXTERNAL;
