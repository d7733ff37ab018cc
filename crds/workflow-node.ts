import * as z from 'zod';
import { anyObject } from './any-object.ts';
import { duration } from './duration.ts';
import { listAtomic } from './list.ts';
import { nodeName } from './name.ts';
import { nodeCache, nodeDistribute } from './workflow-resilience.ts';

const retry = z.strictObject({
  maxTries: z.int32().min(1).max(100).describe('All tries, the first included.'),
  wait: duration.describe('Pause between tries, such as 1s; the longest first pause when the backoff is exponential. Default 1s.').exactOptional(),
  backoff: z.enum(['Fixed', 'Exponential']).describe('How the pause grows: not at all (Fixed, the default), or to a random part of a pause that doubles with each try, up to 5m (Exponential).').exactOptional(),
});

const credentialReference = z.strictObject({
  name: z.string().min(1).max(253).describe('Name of the credential.'),
}).describe('Which credential of this type the node uses.');

/** One node of the graph. */
export const workflowNode = z.strictObject({
  name: nodeName.describe('Unique in the workflow; connections, pinned data and expressions refer to the node by it.'),
  type: z.string().min(1).max(253).describe('Node type, such as webhook, set, if, code or httpRequest.'),
  typeVersion: z.number().min(0).max(1000).describe('Version of the node type whose behaviour is wanted. Default: the newest.').exactOptional(),
  position: listAtomic(z.number(), 2).min(2)
    .describe('Place on the canvas: x, y. Branches run from top to bottom, then from left to right, so the layout decides the order.').exactOptional(),
  parameters: anyObject.describe('Settings of the node. A string that starts with = is an expression.').exactOptional(),
  credentials: z.record(z.string().max(253), credentialReference).meta({ maxProperties: 16 }).describe('Credentials by credential type.').exactOptional(),
  disabled: z.boolean().describe('A disabled node passes its first input on unchanged.').exactOptional(),
  executeOnce: z.boolean().describe('Run for the first item of each input only.').exactOptional(),
  alwaysOutputData: z.boolean().describe('Put out one empty item when there would be none, so that the branch goes on.').exactOptional(),
  retry: retry.describe('Tries before the error path is taken.').exactOptional(),
  cache: nodeCache.describe('Use the result of an earlier run with the same input again, for node types that allow it: httpRequest. Manual executions do not.').exactOptional(),
  distribute: nodeDistribute.describe('Divide the work into parts, by one of count, bytes and key, and have executions of their own do them, on any runner: executeWorkflow, httpRequest, postgres, code, splitInBatches with its body.').exactOptional(),
  onError: z.enum(['Stop', 'Continue', 'ErrorOutput'])
    .describe('What happens when the node fails after its tries: stop the execution (default), go on, or send the items to an extra last output.').exactOptional(),
  webhookId: z.string().max(128).describe('Identity of an imported webhook, used as its path when the parameters name none.').exactOptional(),
  notes: z.string().max(8192).describe('Remarks for people.').exactOptional(),
}).describe('One step of the workflow.');

/** One wire of the graph. All fields are keys, so that two people who add wires never overwrite one another. */
export const connection = z.strictObject({
  from: nodeName.describe('Name of the node whose output is wired.'),
  output: z.int32().min(0).max(255).describe('Index of that output, from 0.'),
  to: nodeName.describe('Name of the node that receives the items.'),
  input: z.int32().min(0).max(255).describe('Index of its input, from 0.'),
  type: z.string().min(1).max(64).describe('main; compensation, for a wire to what undoes the node; or the type of an AI connection.'),
}).describe('One wire between two nodes.');
