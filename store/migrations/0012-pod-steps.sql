-- Pods that executions wait for; one row per pod that is wanted, whatever number of tries it takes. Runners write rows and read results; the
-- operator makes the pods. A row lives as long as its execution is in the queue.
CREATE TABLE millrace.pod_step (
  id           text PRIMARY KEY,                  -- 80 bits of the hash of execution, node, run index and item
  execution_id uuid NOT NULL,
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  node         text NOT NULL,                     -- what the execution's wait_node will be
  item         integer NOT NULL,
  spec         bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  deadline_at  timestamptz,                       -- when the execution is over its time
  attempt      integer NOT NULL DEFAULT 1,        -- the try that is wanted now; part of the pod's name
  active       boolean NOT NULL DEFAULT false,    -- its pod has been created
  failures     integer NOT NULL DEFAULT 0,        -- tries that the command failed
  not_before   timestamptz NOT NULL DEFAULT now(),
  result       bytea,                             -- set once, at the end
  told         boolean NOT NULL DEFAULT false     -- the execution went on because of it
);
ALTER TABLE millrace.pod_step ALTER COLUMN spec SET STORAGE EXTERNAL, ALTER COLUMN result SET STORAGE EXTERNAL;
CREATE INDEX pod_step_wanted ON millrace.pod_step (created_at) WHERE result IS NULL AND NOT active;
CREATE INDEX pod_step_untold ON millrace.pod_step (execution_id) WHERE result IS NOT NULL AND NOT told;
CREATE INDEX pod_step_by_execution ON millrace.pod_step (execution_id);
