-- Schedules of active routes, written with the route. Claiming one puts look_at ahead by its lease; nothing is locked while its ticks are queued.
CREATE TABLE millrace.schedule (
  namespace text NOT NULL,
  workflow  text NOT NULL,
  node      text NOT NULL,
  uid       text NOT NULL,
  spec      jsonb NOT NULL,                                           -- rules, timezone, what happens to missed ticks
  anchor    timestamptz(3) NOT NULL DEFAULT now(),                    -- when it came into force: every n-th day counts from here
  cursor    timestamptz(3) NOT NULL DEFAULT now(),                    -- ticks up to here are dealt with
  look_at   timestamptz DEFAULT now(),                                -- when the next tick is due; NULL: there is none
  fired     bigint NOT NULL DEFAULT 0,
  missed    bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, workflow, node),
  FOREIGN KEY (namespace, workflow) REFERENCES millrace.route ON DELETE CASCADE
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX schedule_by_look ON millrace.schedule (look_at);
