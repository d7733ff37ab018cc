-- What runners say of themselves when they renew their lease: scaling and watching read it here instead of counting rows.
ALTER TABLE millrace.runner
  ADD COLUMN slots   integer NOT NULL DEFAULT 0,   -- executions it can run at the same time; 0: takes none
  ADD COLUMN busy    integer,                      -- those it runs now; NULL: has not said
  ADD COLUMN started bigint NOT NULL DEFAULT 0,    -- claims since it came up
  ADD COLUMN ended   bigint NOT NULL DEFAULT 0,    -- claims that are over, however they ended
  ADD COLUMN busy_ms double precision NOT NULL DEFAULT 0;  -- how long those that are over held their slots, together
