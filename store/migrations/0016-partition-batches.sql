-- Parts are recorded a few at a time, and start once all are; what is asked of a batch costs what is under way, not what there is.
ALTER TABLE millrace.partition
  ADD COLUMN sealed boolean NOT NULL DEFAULT true,  -- of position 0: all parts are recorded
  ADD COLUMN items integer;                         -- that the part put out, once it is over
DROP INDEX millrace.partition_running;
CREATE INDEX partition_running ON millrace.partition (batch) WHERE child IS NOT NULL AND result IS NULL;
CREATE INDEX partition_open ON millrace.partition (batch) WHERE result IS NULL;
CREATE INDEX partition_failed ON millrace.partition (batch) WHERE failed;
