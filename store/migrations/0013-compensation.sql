-- Executions that have done something that compensations undo: whoever ends them from outside leaves that to a runner.
ALTER TABLE millrace.queue ADD COLUMN undoable boolean NOT NULL DEFAULT false;
ALTER TABLE millrace.dead_letter ADD COLUMN undoable boolean NOT NULL DEFAULT false, ADD COLUMN canceled boolean NOT NULL DEFAULT false;
