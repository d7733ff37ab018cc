import { WorkflowError } from '../../engine/error.ts';
import type { NodeContext, NodeType, WaitedRequest, WaitRequest } from '../../engine/node-type.ts';
import { asText } from '../json-value.ts';
import { parseMoment } from '../moment.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';

const UNIT_MS: Record<string, number> = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

/** Shorter waits stay in memory; persisting and waking an execution costs more than they last. */
const IN_MEMORY_MS = 65_000;

/** Parameters that say how long to wait, and nothing about the request. */
const OF_THE_WAIT: ReadonlySet<string> = new Set(['resume', 'amount', 'unit', 'dateTime', 'limitWaitTime', 'limitType', 'resumeAmount', 'resumeUnit', 'maxDateAndTime']);

function waitMs(amount: number, unit: string): number {
  const ms = UNIT_MS[unit];
  if (ms !== undefined && amount >= 0) return amount * ms;
  throw new WorkflowError('DurationInvalid', `A wait of ${amount} ${unit} is not possible. Use a number from 0 up and seconds, minutes, hours or days.`, { parameter: 'amount', nonRetryable: true });
}

/** A date and time; text without a zone is read in the workflow's timezone. */
function momentMs(context: NodeContext, path: string): number {
  const value = context.parameter(path, 0);
  const zone = context.workflow.settings?.timezone ?? 'utc';
  const moment = parseMoment(value, zone);
  if (!moment) throw new WorkflowError('InvalidDate', `'${asText(value)}' is not a date and time. Use ISO 8601 such as 2024-05-16T07:08:09Z.`, { parameter: path, nonRetryable: true });
  const zoned = typeof value !== 'string' || /(?:z|[+-]\d{2}:?\d{2})$/i.test(value.trim());
  return (zoned ? moment : moment.setZone('utc').setZone(zone, { keepLocalTime: true })).toMillis();
}

function intervalMs(context: NodeContext, names: { amount: string; unit: string }): number {
  const first = context.typeVersion < 1.1;
  return waitMs(
    numberParameter(context, names.amount, 0, first || names.amount !== 'amount' ? 1 : 5),
    textParameter(context, names.unit, 0, first || names.unit !== 'unit' ? 'hours' : 'seconds'),
  );
}

/** Until when a wait for a request lasts at most. */
function limit(context: NodeContext): number | undefined {
  if (!flagParameter(context, 'limitWaitTime', 0)) return undefined;
  if (context.parameter('limitType', 0, 'afterTimeInterval') === 'atSpecifiedTime') return momentMs(context, 'maxDateAndTime');
  return context.now() + intervalMs(context, { amount: 'resumeAmount', unit: 'resumeUnit' });
}

/** What is asked of the request that ends the wait, and how it is answered: the node's own parameters, for its first item. */
function waitedRequest(context: NodeContext): WaitedRequest {
  const names = Object.keys(context.node.parameters ?? {}).filter((name) => !OF_THE_WAIT.has(name));
  const { credentials } = context.node;
  return { parameters: Object.fromEntries(names.map((name) => [name, context.parameter(name, 0)])), ...(credentials && { credentials }) };
}

function requestWait(context: NodeContext, on: 'webhook' | 'form'): WaitRequest {
  const until = limit(context);
  return { on, request: waitedRequest(context), ...(until !== undefined && { until }) };
}

/** Pauses the execution. */
export const waitNode: NodeType = {
  type: 'wait', displayName: 'Wait', group: 'flow', versions: [1, 1.1], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Pauses the execution for a time, until a time, or until a request comes. Waits of 65 seconds and more survive restarts of everything.',
  parameters: [
    { name: 'resume', type: 'options', options: ['timeInterval', 'specificTime', 'webhook', 'form'], default: 'timeInterval', description: 'What ends the wait.' },
    { name: 'amount', type: 'number', description: 'timeInterval: how long. Default 5 seconds; version 1: 1 hour.' },
    { name: 'unit', type: 'options', options: ['seconds', 'minutes', 'hours', 'days'], description: 'timeInterval: the unit of the amount.' },
    { name: 'dateTime', type: 'dateTime', description: 'specificTime: the date and time; without a zone in the workflow\'s timezone.' },
    { name: 'httpMethod', type: 'options', options: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'], default: 'GET', description: 'webhook: the method of the request. Its address is `$execution.resumeUrl`, a form\'s `$execution.resumeFormUrl`.' },
    { name: 'responseMode', type: 'options', options: ['onReceived', 'lastNode', 'responseNode'], default: 'onReceived', description: 'webhook: how the request is answered: at once, with the data of the last node, or from a Respond to Webhook node behind this one.' },
    { name: 'responseData', type: 'options', options: ['firstEntryJson', 'allEntries', 'firstEntryBinary', 'noData'], default: 'firstEntryJson', description: 'Mode lastNode: what the answer holds.' },
    { name: 'responseCode', type: 'number', default: 200, description: 'webhook: the status of the answer.' },
    { name: 'incomingAuthentication', type: 'options', options: ['none', 'basicAuth', 'headerAuth', 'jwtAuth'], default: 'none', description: 'webhook and form: what callers have to present beside the address; checked against a credential of the node.' },
    { name: 'formTitle', type: 'string', description: 'form: heading of the page.' },
    { name: 'formDescription', type: 'string', description: 'form: text below the heading.' },
    { name: 'formFields', type: 'collection', description: 'form: as in the Form Trigger.' },
    { name: 'limitWaitTime', type: 'boolean', default: false, description: 'webhook and form: go on after a time even without a request.' },
    { name: 'limitType', type: 'options', options: ['afterTimeInterval', 'atSpecifiedTime'], default: 'afterTimeInterval', description: 'How that time is given.' },
    { name: 'resumeAmount', type: 'number', default: 1, description: 'afterTimeInterval: how long.' },
    { name: 'resumeUnit', type: 'options', options: ['seconds', 'minutes', 'hours', 'days'], default: 'hours', description: 'afterTimeInterval: the unit.' },
    { name: 'maxDateAndTime', type: 'dateTime', description: 'atSpecifiedTime: the date and time.' },
    { name: 'options', type: 'collection', default: {}, description: 'webhook: as in the Webhook node, and `webhookSuffix`.' },
  ],
  async execute(context) {
    const resume = textParameter(context, 'resume', 0, 'timeInterval');
    if (resume === 'webhook' || resume === 'form') return { wait: requestWait(context, resume) };
    const until = resume === 'specificTime' ? momentMs(context, 'dateTime') : context.now() + intervalMs(context, { amount: 'amount', unit: 'unit' });
    const ms = until - context.now();
    if (ms >= IN_MEMORY_MS) return { wait: { until } };
    if (ms > 0) await context.sleep(ms);
    return [[...context.input()]];
  },
};
