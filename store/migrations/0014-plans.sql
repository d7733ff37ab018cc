-- Connections plan each statement once, for any parameters. How many executions a gate lets go decides how they are best found, so that these functions plan for theirs.
ALTER FUNCTION millrace.pass_gates(uuid[], uuid[]) SET plan_cache_mode = 'auto';
ALTER FUNCTION millrace.enter_gates(uuid[], text[]) SET plan_cache_mode = 'auto';
