/**
 * Answers a list of requests with the sandbox, for tests: jest's own realm cannot be locked down. Reads JSON from standard input
 * and writes an answer per request.
 */
import process from 'node:process';
import { text } from 'node:stream/consumers';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { WorkflowDefinition } from '../../engine/workflow.ts';
import { createSandbox } from '../create-sandbox.ts';
import type { CodeRequest } from '../sandbox.ts';
import { fakeView } from './fake-view.ts';

export interface TestRequest {
  template?: string;
  code?: string;
  language?: CodeRequest['language'];
  mode?: CodeRequest['mode'];
  itemIndex?: number;
  items?: readonly Item[];
  definition?: WorkflowDefinition;
  roots?: JsonObject;
  variables?: Record<string, string>;
  staticData?: JsonObject;
}

/** `type` tells what JSON cannot: `Date`, `undefined`. */
export type TestAnswer = { value?: unknown; type: string; printed: string[]; staticData: JsonObject } | { code: string; message: string };

const sandbox = createSandbox();

async function answer(request: TestRequest): Promise<TestAnswer> {
  const { itemIndex = 0, staticData = {} } = request;
  const view = fakeView({ ...request, staticData });
  const printed: string[] = [];
  try {
    const value = request.template === undefined
      ? await sandbox.runCode({ language: request.language ?? 'javaScript', source: request.code ?? '', mode: request.mode ?? 'all', itemIndex, onConsole: (level, line) => printed.push(`${level}: ${line}`) }, view)
      : sandbox.evaluate(request.template, view, itemIndex, request.roots);
    return { value, type: value instanceof Date ? 'Date' : typeof value, printed, staticData };
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
}

const requests = JSON.parse(await text(process.stdin)) as TestRequest[];
const answers: TestAnswer[] = [];
for (const request of requests) answers.push(await answer(request));
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
