-- How much of a workflow, of a group of its executions and of a pool may run at once and how fast it may start.
--
-- A gated execution belongs to one gate: its workflow, or those executions of it that share a key. It takes a slot of its gate before it becomes
-- Ready and holds it to its end, through crashes, takeovers and waits. Until then it is Blocked, where no claim looks. Everything that takes
-- or gives back slots locks the gate's row first, in the order of ids, so the count is exact and each slot that is given back is passed on in the
-- same transaction. Locks are always taken in the order queue rows, rates, gates; under the lock of a gate only Blocked rows are
-- locked, and only those that nobody else has locked.

ALTER TABLE millrace.route
  ADD COLUMN limits     jsonb,   -- {concurrency: {max, key, policy}, rateLimit: {count, perMs, key, policy}}
  ADD COLUMN limit_keys text;    -- the keys of both, as those who enqueue must have read them; NULL without limits

ALTER TABLE millrace.queue
  ADD COLUMN gate uuid,          -- NULL: no limit on how many run at once
  ADD COLUMN rate uuid,          -- NULL: no limit on how fast they start
  DROP CONSTRAINT queue_state_check,
  ADD CONSTRAINT queue_state_check CHECK (state IN ('Ready', 'Blocked', 'Delayed', 'Running', 'Waiting'));
CREATE INDEX queue_blocked ON millrace.queue (gate, rank, id) WHERE state = 'Blocked';
CREATE INDEX queue_blocked_by_pool ON millrace.queue (pool, namespace) WHERE state = 'Blocked';
CREATE INDEX queue_gated ON millrace.queue (gate, id) WHERE gate IS NOT NULL;

CREATE TABLE millrace.gate (
  id        uuid PRIMARY KEY,          -- 128 bits of the SHA-256 of namespace, workflow and key
  namespace text NOT NULL,
  workflow  text NOT NULL,
  max       integer NOT NULL,          -- when last used; the route's is newer
  held      integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- A bucket of `count` tokens that fills evenly within `perMs`, kept as the time when it will be full: the next start is that less what
-- the bucket holds. A row whose time is past says as much as no row.
CREATE TABLE millrace.rate (
  id      uuid PRIMARY KEY,
  full_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE millrace.pool (
  name                  text PRIMARY KEY,
  paused                boolean NOT NULL DEFAULT false,   -- by the RunnerPool
  held                  boolean NOT NULL DEFAULT false,   -- by an administrator, through the API
  max_running           integer,
  max_queued            integer,
  namespace_max_running integer,
  namespace_max_queued  integer,
  max_crashes           integer
);

ALTER TABLE millrace.dead_letter
  ADD COLUMN created_at   timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN timeout_ms   bigint,
  ADD COLUMN save_success text NOT NULL DEFAULT 'All',
  ADD COLUMN save_failure text NOT NULL DEFAULT 'All',
  ADD COLUMN fence        integer NOT NULL DEFAULT 1000,  -- more than any claim before this migration
  ADD COLUMN parent       uuid,
  ADD COLUMN workflow_run text,
  ADD COLUMN gate         uuid;
CREATE INDEX dead_letter_by_workflow ON millrace.dead_letter (namespace, workflow, id);

-- What the workflow of a gate allows now. A workflow that is gone leaves its last word, one that has no limit any more none.
CREATE FUNCTION millrace.gate_max(gate millrace.gate) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT coalesce((r.limits -> 'concurrency' ->> 'max')::integer, 2147483647) FROM millrace.route r
    WHERE r.namespace = gate.namespace AND r.workflow = gate.workflow), gate.max)
$$;

-- Gives back one slot for every entry of `freed`, or looks after the gates `looked`, whose rows it makes where they are missing; never both in one call. What is free
-- is passed on to those that are Blocked. Returns the pools that got work. A gate that nobody holds has no row.
CREATE FUNCTION millrace.pass_gates(freed uuid[], looked uuid[]) RETURNS text[] LANGUAGE plpgsql STRICT AS $$
DECLARE
  gate record;
  taken integer;
  pools text[];
  woken text[] := '{}';
BEGIN
  INSERT INTO millrace.gate AS g (id, namespace, workflow, max)
    SELECT entry.id, entry.namespace, entry.workflow, 1 FROM (
      SELECT DISTINCT look.id, any_of.namespace, any_of.workflow FROM unnest(looked) AS look(id) CROSS JOIN LATERAL (
        SELECT q.namespace, q.workflow FROM millrace.queue q WHERE q.gate = look.id ORDER BY q.id LIMIT 1) any_of) entry
    ORDER BY entry.id
    ON CONFLICT (id) DO UPDATE SET held = g.held;
  FOR gate IN
    SELECT g.id, g.held - back.n AS held, millrace.gate_max(g) AS max
    FROM millrace.gate g JOIN (
      SELECT id, sum(n)::integer AS n FROM (SELECT unnest(freed) AS id, 1 AS n UNION ALL SELECT unnest(looked), 0) entry GROUP BY id) back ON back.id = g.id
    ORDER BY g.id FOR UPDATE OF g
  LOOP
    -- A statement of its own, so it sees what was committed while the lock was waited for.
    WITH next AS (
      SELECT q.id FROM millrace.queue q WHERE q.gate = gate.id AND q.state = 'Blocked'
      ORDER BY q.rank, q.id LIMIT greatest(0, gate.max - gate.held) FOR UPDATE SKIP LOCKED
    ), started AS (
      UPDATE millrace.queue q SET state = 'Ready' FROM next WHERE q.id = next.id RETURNING q.pool
    )
    SELECT count(*), array_agg(DISTINCT pool) INTO taken, pools FROM started;
    IF gate.held + taken = 0 THEN
      DELETE FROM millrace.gate g WHERE g.id = gate.id;
    ELSE
      UPDATE millrace.gate g SET held = gate.held + taken, max = gate.max WHERE g.id = gate.id;
    END IF;
    woken := woken || coalesce(pools, '{}');
  END LOOP;
  RETURN woken;
END $$;

-- Decides about executions that were just queued as Blocked or Delayed: when their rate lets them start, and whether there is a slot. `keys` are their idempotency
-- keys, NULL for none. Returns those that are refused, which are forgotten together with their keys (RateLimited, with the time until a token is there;
-- ConcurrencyLimit), and those that a policy Replace wants canceled now (Replaced).
CREATE FUNCTION millrace.enter_gates(ids uuid[], keys text[]) RETURNS TABLE (execution_id uuid, outcome text, retry_ms float8) LANGUAGE plpgsql STRICT AS $$
#variable_conflict use_column
DECLARE
  bucket record;
  gate record;
  full_time timestamptz;
  step interval;
  depth interval;
  used bigint;
BEGIN
  FOR bucket IN
    SELECT q.rate AS id, count(*) AS n, r.limits -> 'rateLimit' AS spec
    FROM millrace.queue q JOIN millrace.route r ON r.namespace = q.namespace AND r.workflow = q.workflow
    WHERE q.id = ANY(ids) AND q.rate IS NOT NULL GROUP BY q.rate, r.limits ORDER BY q.rate
  LOOP
    step := (bucket.spec ->> 'perMs')::float8 / (bucket.spec ->> 'count')::float8 * interval '1 ms';
    depth := (bucket.spec ->> 'perMs')::float8 * interval '1 ms' - step;
    INSERT INTO millrace.rate AS b (id, full_at) VALUES (bucket.id, clock_timestamp()) ON CONFLICT (id) DO UPDATE SET full_at = greatest(b.full_at, clock_timestamp())
      RETURNING b.full_at INTO full_time;
    used := bucket.n;
    IF bucket.spec ->> 'policy' = 'Drop' THEN
      used := least(used, greatest(0, floor(extract(epoch FROM clock_timestamp() + depth - full_time) / extract(epoch FROM step)) + 1));
      RETURN QUERY
        WITH late AS (
          SELECT q.id FROM millrace.queue q WHERE q.id = ANY(ids) AND q.rate = bucket.id ORDER BY q.id OFFSET used
        ), gone AS (
          DELETE FROM millrace.queue q USING late WHERE q.id = late.id RETURNING q.id, q.namespace, q.workflow
        ), unkeyed AS (
          DELETE FROM millrace.idempotency k USING gone, unnest(ids, keys) AS own(id, key)
          WHERE own.id = gone.id AND k.namespace = gone.namespace AND k.workflow = gone.workflow AND k.key = own.key AND k.execution_id = gone.id
        )
        SELECT gone.id, 'RateLimited', greatest(0, extract(epoch FROM full_time + used * step - depth - clock_timestamp()) * 1000)::float8 FROM gone;
    END IF;
    UPDATE millrace.queue q SET run_at = start.at, rank = start.at - q.priority * interval '30 s', state = 'Delayed'
    FROM (
      SELECT n.id, greatest(n.run_at, full_time - depth + n.turn * step) AS at FROM (
        SELECT w.id, w.run_at, row_number() OVER (ORDER BY w.id) - 1 AS turn FROM millrace.queue w WHERE w.id = ANY(ids) AND w.rate = bucket.id) n) start
    WHERE q.id = start.id AND start.at > clock_timestamp();
    UPDATE millrace.rate b SET full_at = full_time + used * step WHERE b.id = bucket.id;
  END LOOP;
  UPDATE millrace.queue q SET state = 'Ready' WHERE q.id = ANY(ids) AND q.state = 'Blocked' AND q.gate IS NULL;

  FOR gate IN
    SELECT q.gate AS id, r.limits -> 'concurrency' AS spec
    FROM millrace.queue q LEFT JOIN millrace.route r ON r.namespace = q.namespace AND r.workflow = q.workflow
    WHERE q.id = ANY(ids) AND q.gate IS NOT NULL GROUP BY q.gate, r.limits ORDER BY q.gate
  LOOP
    PERFORM millrace.pass_gates('{}', ARRAY[gate.id]);
    IF gate.spec ->> 'policy' = 'Drop' THEN
      RETURN QUERY
        WITH gone AS (
          DELETE FROM millrace.queue q WHERE q.id = ANY(ids) AND q.gate = gate.id AND q.state = 'Blocked' RETURNING q.id, q.namespace, q.workflow
        ), unkeyed AS (
          DELETE FROM millrace.idempotency k USING gone, unnest(ids, keys) AS own(id, key)
          WHERE own.id = gone.id AND k.namespace = gone.namespace AND k.workflow = gone.workflow AND k.key = own.key AND k.execution_id = gone.id
        )
        SELECT gone.id, 'ConcurrencyLimit', NULL::float8 FROM gone;
    ELSIF gate.spec ->> 'policy' = 'Replace' THEN
      RETURN QUERY
        SELECT q.id, 'Replaced', NULL::float8 FROM millrace.queue q
        WHERE q.gate = gate.id AND NOT q.canceled AND NOT (q.state = 'Delayed' AND q.fence = 0) ORDER BY q.id DESC OFFSET (gate.spec ->> 'max')::integer;
    END IF;
  END LOOP;
END $$;
