-- The history becomes a table of days: an execution is in the partition of the day its id was made on, and days are dropped as a whole. What is there already
-- becomes the first partition, up to the end of today; nothing is copied. Attaching it reads it once, while nobody else can write to it.

-- Words of the error, in lower case, for searching; absent of executions that succeeded.
ALTER TABLE millrace.execution ADD COLUMN words tsvector;
ALTER TABLE millrace.execution RENAME TO execution_before;
ALTER TABLE millrace.execution_before RENAME CONSTRAINT execution_pkey TO execution_before_pkey;
ALTER INDEX millrace.execution_by_workflow RENAME TO execution_before_by_workflow;
ALTER INDEX millrace.execution_unsuccessful RENAME TO execution_before_unsuccessful;
ALTER INDEX millrace.execution_unsaved RENAME TO execution_before_unsaved;

CREATE TABLE millrace.execution (LIKE millrace.execution_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE INDEX execution_by_workflow ON millrace.execution (namespace, workflow, id) WHERE kept <> 'None';
CREATE INDEX execution_unsuccessful ON millrace.execution (namespace, workflow, id) WHERE kept <> 'None' AND status <> 'Succeeded';
CREATE INDEX execution_unsaved ON millrace.execution (finished_at) WHERE kept = 'None';
CREATE INDEX execution_words ON millrace.execution USING gin (words) WHERE words IS NOT NULL;

-- The partitions but for the default one, which takes what belongs to no day: executions that waited until their day was dropped, and those of a day that
-- was not made in time.
CREATE TABLE millrace.history_day (
  partition text PRIMARY KEY,
  until     date NOT NULL                    -- first day, UTC, that is not in it
);
CREATE TABLE millrace.execution_default PARTITION OF millrace.execution DEFAULT;

-- Smallest id of a day: a UUIDv7 begins with 48 bits of milliseconds since the epoch.
CREATE FUNCTION millrace.first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT (lpad(to_hex((extract(epoch FROM day)::bigint) * 1000), 12, '0') || repeat('0', 20))::uuid
$$;

DO $$
DECLARE
  latest uuid := (SELECT id FROM millrace.execution_before ORDER BY id DESC LIMIT 1);
  day date := (now() AT TIME ZONE 'UTC')::date + 1;
BEGIN
  -- Ids of clocks that were ahead.
  WHILE latest >= millrace.first_id(day) LOOP
    day := day + 1;
    IF day > (now() AT TIME ZONE 'UTC')::date + 4000 THEN RAISE EXCEPTION 'millrace.execution holds ids that are not UUIDv7'; END IF;
  END LOOP;
  EXECUTE format('ALTER TABLE millrace.execution ATTACH PARTITION millrace.execution_before FOR VALUES FROM (MINVALUE) TO (%L)', millrace.first_id(day));
  INSERT INTO millrace.history_day VALUES ('execution_before', day);
END $$;

-- Makes the partitions of today and the days after it that are missing. What the default partition holds of such a day moves into it. Returns how many it made.
CREATE FUNCTION millrace.make_days(ahead integer) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  day date;
  made integer := 0;
  name text;
BEGIN
  IF (SELECT max(until) FROM millrace.history_day) > today + ahead OR NOT pg_try_advisory_xact_lock(727274003) THEN RETURN 0; END IF;
  day := greatest((SELECT max(until) FROM millrace.history_day), today);
  IF day > today + ahead THEN RETURN 0; END IF;
  LOCK TABLE millrace.execution_default IN ACCESS EXCLUSIVE MODE;
  WHILE day <= today + ahead LOOP
    name := 'execution_' || to_char(day, 'YYYYMMDD');
    EXECUTE format('CREATE TABLE millrace.%I (LIKE millrace.execution INCLUDING ALL) WITH (autovacuum_vacuum_insert_scale_factor = 0.05)', name);
    EXECUTE format('WITH moved AS (DELETE FROM millrace.execution_default WHERE id >= $1 AND id < $2 RETURNING *) INSERT INTO millrace.%I SELECT * FROM moved', name)
      USING millrace.first_id(day), millrace.first_id(day + 1);
    EXECUTE format('ALTER TABLE millrace.execution ATTACH PARTITION millrace.%I FOR VALUES FROM (%L) TO (%L)', name, millrace.first_id(day), millrace.first_id(day + 1));
    INSERT INTO millrace.history_day VALUES (name, day + 1);
    made := made + 1;
    day := day + 1;
  END LOOP;
  RETURN made;
END $$;

-- Drops the oldest partition if all of it is older than so many days. Returns its name; NULL when there is none, or somebody else is at it.
CREATE FUNCTION millrace.drop_day(retention integer) RETURNS text LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
  old text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(727274003) THEN RETURN NULL; END IF;
  SELECT partition INTO old FROM millrace.history_day WHERE until <= (now() AT TIME ZONE 'UTC')::date - retention ORDER BY until LIMIT 1;
  IF old IS NULL THEN RETURN NULL; END IF;
  EXECUTE format('DROP TABLE millrace.%I', old);
  DELETE FROM millrace.history_day WHERE partition = old;
  RETURN old;
END $$;

SELECT millrace.make_days(3);
