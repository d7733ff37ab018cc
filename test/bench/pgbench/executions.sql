-- :batch executions from acceptance to history in three commits, by the fewest statements that write the same rows: no order, no leases, no
-- routes, no messages, nothing that a queue needs. What this machine's PostgreSQL can do at all with these commits.
-- Variables: batch, and the bytes of trigger, brief, response and data.
WITH accepted AS (
  INSERT INTO bare_queue (id, pool, namespace, workflow, uid, revision, mode, state, priority, rank, run_at, save_success, save_failure, reply_to, trigger)
  SELECT uuidv7(), 'default', 'bench', 'intake', 'intake', decode(repeat('ab', 32), 'hex'), 'Webhook', 'Ready', 5, now(), now(), 'All', 'All', repeat('r', 36),
    convert_to(repeat('t', :trigger), 'UTF8')
  FROM generate_series(1, :batch) RETURNING id)
SELECT array_agg(id)::text AS ids FROM accepted \gset
UPDATE bare_queue SET state = 'Running', runner = 'runner-0/12345678', fence = fence + 1, claimed_at = now(), started_at = now() WHERE id = ANY(:ids::uuid[]) RETURNING *;
WITH gone AS (DELETE FROM bare_queue WHERE id = ANY(:ids::uuid[]) RETURNING *)
INSERT INTO bare_execution (id, pool, namespace, workflow, uid, revision, mode, status, priority, created_at, started_at, runner, fence, kept, brief, response, data)
SELECT id, pool, namespace, workflow, uid, revision, mode, 'Succeeded', priority, created_at, started_at, runner, fence, 'All',
  convert_to(repeat('b', :brief), 'UTF8'), convert_to(repeat('r', :response), 'UTF8'), convert_to(repeat('d', :data), 'UTF8')
FROM gone;
