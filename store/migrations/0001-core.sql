-- Payloads (bytea) are JSON in UTF-8, compressed with zstd from 8 KiB on; zstd's magic number tells which. They are stored EXTERNAL, so that
-- PostgreSQL spends no time on compressing them again. Not jsonb, because jsonb refuses \u0000, which items may hold.

CREATE TABLE millrace.revision (
  revision   bytea PRIMARY KEY,              -- SHA-256 of the canonical JSON
  namespace  text NOT NULL,
  workflow   text NOT NULL,
  uid        text NOT NULL,
  definition bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz                     -- set by the first pass of a prune; such a revision is not given to new executions
);
ALTER TABLE millrace.revision ALTER COLUMN definition SET STORAGE EXTERNAL;
CREATE INDEX revision_by_workflow ON millrace.revision (namespace, workflow, created_at);

CREATE SEQUENCE millrace.route_epoch;

CREATE TABLE millrace.route (
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  uid          text NOT NULL,
  active       boolean NOT NULL,
  stable       bytea NOT NULL REFERENCES millrace.revision,
  canary       bytea REFERENCES millrace.revision,
  weight       real NOT NULL CHECK (weight BETWEEN 0 AND 100),
  pool         text NOT NULL,
  priority     smallint NOT NULL,
  timeout_ms   bigint,
  save_success text NOT NULL,
  save_failure text NOT NULL,
  triggers     bytea NOT NULL,
  epoch        bigint NOT NULL,
  PRIMARY KEY (namespace, workflow)
);

-- Webhooks of active routes. A segment `:name` is stored as `:`, so that two paths which match the same requests are one row.
CREATE TABLE millrace.webhook (
  namespace text NOT NULL,
  method    text NOT NULL,
  path      text NOT NULL,
  workflow  text NOT NULL,
  PRIMARY KEY (namespace, method, path),
  FOREIGN KEY (namespace, workflow) REFERENCES millrace.route ON DELETE CASCADE
);
CREATE INDEX webhook_by_workflow ON millrace.webhook (namespace, workflow);

CREATE TABLE millrace.runner (
  name       text PRIMARY KEY,
  pool       text NOT NULL,
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- One row per unfinished execution. Small, because claiming rewrites it; a large trigger is out of row.
-- state: Ready (may start now), Delayed (at run_at), Running (owned by runner), Waiting (for a call, at the latest until run_at).
CREATE TABLE millrace.queue (
  id           uuid PRIMARY KEY,
  pool         text NOT NULL,
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  uid          text NOT NULL,
  revision     bytea NOT NULL,
  mode         text NOT NULL,
  state        text NOT NULL CHECK (state IN ('Ready', 'Delayed', 'Running', 'Waiting')),
  priority     smallint NOT NULL,
  rank         timestamptz NOT NULL,         -- when it could start, earlier by 30 s for every point of priority: a fixed key that ages
  run_at       timestamptz,                  -- NULL: waits for a call without limit
  created_at   timestamptz NOT NULL DEFAULT now(),
  started_at   timestamptz,                  -- first claim
  claimed_at   timestamptz,                  -- last claim
  runner       text,
  fence        integer NOT NULL DEFAULT 0,   -- claims so far
  crashes      integer NOT NULL DEFAULT 0,
  crash_log    jsonb NOT NULL DEFAULT '[]',
  canceled     boolean NOT NULL DEFAULT false,
  timeout_ms   bigint,
  save_success text NOT NULL,
  save_failure text NOT NULL,
  reply_to     text,
  parent       uuid,
  workflow_run text,
  wait_node    text,
  trigger      bytea NOT NULL,
  resume       bytea,
  response     bytea
) WITH (
  -- Rows live for milliseconds: vacuum by count, often and without pauses, or the ready index fills with dead entries.
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
);
ALTER TABLE millrace.queue
  ALTER COLUMN trigger SET STORAGE EXTERNAL, ALTER COLUMN resume SET STORAGE EXTERNAL, ALTER COLUMN response SET STORAGE EXTERNAL;
CREATE INDEX queue_ready ON millrace.queue (pool, namespace, rank) WHERE state = 'Ready';
CREATE INDEX queue_delayed ON millrace.queue (pool, run_at) WHERE state IN ('Delayed', 'Waiting');
CREATE INDEX queue_running ON millrace.queue (runner) WHERE state = 'Running';

CREATE TABLE millrace.checkpoint (
  execution_id uuid NOT NULL,
  sequence     integer NOT NULL,
  data         bytea NOT NULL,
  PRIMARY KEY (execution_id, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE millrace.checkpoint ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE millrace.idempotency (
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  key          text NOT NULL,
  execution_id uuid NOT NULL,
  revision     bytea NOT NULL,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (namespace, workflow, key)
);
CREATE INDEX idempotency_by_expiry ON millrace.idempotency (expires_at);

-- One row per finished execution, never updated. Ordered by id (UUIDv7, so by time): ranges of ids are what a partition by day holds.
-- kept None: not shown, and forgotten within the hour; until then it proves that the execution was accepted, and holds its answer.
CREATE TABLE millrace.execution (
  id           uuid PRIMARY KEY,
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  uid          text NOT NULL,
  revision     bytea NOT NULL,
  mode         text NOT NULL,
  status       text NOT NULL CHECK (status IN ('Succeeded', 'Failed', 'Canceled')),
  pool         text NOT NULL,
  priority     smallint NOT NULL,
  created_at   timestamptz NOT NULL,
  started_at   timestamptz,
  finished_at  timestamptz NOT NULL DEFAULT now(),
  fence        integer NOT NULL,
  crashes      integer NOT NULL,
  runner       text,
  parent       uuid,
  workflow_run text,
  kept         text NOT NULL CHECK (kept IN ('All', 'Summary', 'None')),
  brief        bytea NOT NULL,               -- error, last node, counts
  response     bytea,
  data         bytea                         -- All: node runs; Summary: node runs without items
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE millrace.execution
  ALTER COLUMN brief SET STORAGE EXTERNAL, ALTER COLUMN response SET STORAGE EXTERNAL, ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX execution_by_workflow ON millrace.execution (namespace, workflow, id) WHERE kept <> 'None';
CREATE INDEX execution_unsuccessful ON millrace.execution (namespace, workflow, id) WHERE kept <> 'None' AND status <> 'Succeeded';
CREATE INDEX execution_unsaved ON millrace.execution (finished_at) WHERE kept = 'None';

CREATE TABLE millrace.dead_letter (
  id          uuid PRIMARY KEY,
  namespace   text NOT NULL,
  workflow    text NOT NULL,
  uid         text NOT NULL,
  revision    bytea NOT NULL,
  mode        text NOT NULL,
  pool        text NOT NULL,
  priority    smallint NOT NULL,
  buried_at   timestamptz NOT NULL DEFAULT now(),
  crash_log   jsonb NOT NULL,                -- runner, reason, claimedAt, crashedAt, fence and number of checkpoints of every crash
  trigger     bytea NOT NULL,
  checkpoints bytea[] NOT NULL
);
ALTER TABLE millrace.dead_letter ALTER COLUMN trigger SET STORAGE EXTERNAL;

-- scope: empty for `global`, else the name of a node.
CREATE TABLE millrace.static_data (
  namespace text NOT NULL,
  workflow  text NOT NULL,
  scope     text NOT NULL,
  data      bytea NOT NULL,
  PRIMARY KEY (namespace, workflow, scope)
);
ALTER TABLE millrace.static_data ALTER COLUMN data SET STORAGE EXTERNAL;
