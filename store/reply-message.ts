import type { Reply } from './executions.ts';

/** Characters of the longest message that brings its reply along: a batch of them has to fit into a few notifications. */
const MAX_LENGTH = 1500;

/** What tells a replica that it can read the reply of an execution: its id and, if it is small and known, the reply itself, so that nothing has to be read. */
export function replyMessage(executionId: string, reply?: Reply): string {
  if (reply === undefined) return executionId;
  const message = `${executionId}:${Buffer.from(JSON.stringify(reply)).toString('base64url')}`;
  return message.length <= MAX_LENGTH ? message : executionId;
}

export function parseReplyMessage(message: string): { id: string; reply?: Reply } {
  const [id = '', encoded] = message.split(':');
  return encoded === undefined ? { id } : { id, reply: JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Reply };
}
