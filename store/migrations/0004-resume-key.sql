-- Keys that all parts of an installation agree on. resume: the addresses that end waits are signed with it. Random, from the system's generator.
CREATE TABLE millrace.signing_key (
  name text PRIMARY KEY,
  key  bytea NOT NULL
);
INSERT INTO millrace.signing_key (name, key) VALUES ('resume', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
