-- What the pod of the current try gave: by number, a BinaryReference or why there is no file, as JSON in text.
ALTER TABLE millrace.pod_step ADD COLUMN files jsonb;
