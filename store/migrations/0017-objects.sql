-- Files of executions that are in object storage. The key there is made of both ids.
CREATE TABLE millrace.binary_object (
  id           uuid PRIMARY KEY,
  execution_id uuid NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX binary_object_by_execution ON millrace.binary_object (execution_id, id);

-- Work that any replica may do, and one does now and then.
CREATE TABLE millrace.chore (
  name   text PRIMARY KEY,
  due_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO millrace.chore (name) VALUES ('prune-objects');
