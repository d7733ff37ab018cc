-- Files of executions, in chunks, so that no statement carries more than one chunk.
CREATE TABLE millrace.binary_chunk (
  id           uuid NOT NULL,
  chunk        integer NOT NULL,              -- from 0
  execution_id uuid NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  bytes        bytea NOT NULL,
  PRIMARY KEY (id, chunk)
);
ALTER TABLE millrace.binary_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX binary_chunk_by_execution ON millrace.binary_chunk (execution_id);
