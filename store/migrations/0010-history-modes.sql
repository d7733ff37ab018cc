-- Executions that no webhook started are few among many, or most are; those of webhooks are found by the other indexes, and do not pay for this one.
CREATE INDEX execution_by_mode ON millrace.execution (mode, namespace, workflow, id) WHERE kept <> 'None' AND mode <> 'Webhook';
