-- People who test a workflow and wait for one call of a webhook or form in it, on any replica. execution_id: the call that came.
CREATE TABLE millrace.listener (
  id           uuid PRIMARY KEY,
  namespace    text NOT NULL,
  workflow     text NOT NULL,
  revision     bytea NOT NULL,
  triggers     bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  execution_id uuid
);
CREATE INDEX listener_by_namespace ON millrace.listener (namespace, created_at);
