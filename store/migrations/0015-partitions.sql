-- Parts of a node's items that executions of their own work on; one row per part. Runners write rows, start the executions a few at a time and write
-- their results. A row lives as long as the execution that distributes is in the queue.
CREATE TABLE millrace.partition (
  id           text PRIMARY KEY,                  -- hash of execution, node, run index and position; the child's idempotency key
  batch        text NOT NULL,                     -- the id of position 0: all parts of one run of a node
  parent       uuid NOT NULL,
  node         text NOT NULL,                     -- what the parent's wait_node will be
  position     integer NOT NULL,
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  revision     text,                              -- hex; null: what the route names
  trigger      bytea NOT NULL,
  priority     smallint NOT NULL,
  max_parallel integer NOT NULL,
  max_failures integer NOT NULL,                  -- more, and no more children start
  child        uuid,                              -- its execution, once it is queued
  failed       boolean NOT NULL DEFAULT false,
  result       bytea,                             -- set once, at the end
  told         boolean NOT NULL DEFAULT false     -- of position 0: the parent went on because of the batch
);
ALTER TABLE millrace.partition ALTER COLUMN trigger SET STORAGE EXTERNAL, ALTER COLUMN result SET STORAGE EXTERNAL;
CREATE INDEX partition_by_batch ON millrace.partition (batch, position);
CREATE INDEX partition_by_parent ON millrace.partition (parent);
CREATE INDEX partition_running ON millrace.partition (child) WHERE child IS NOT NULL AND result IS NULL;
CREATE INDEX partition_unstarted ON millrace.partition (batch, position) WHERE child IS NULL AND result IS NULL;
CREATE INDEX partition_untold ON millrace.partition (batch) WHERE position = 0 AND NOT told;
