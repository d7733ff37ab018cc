import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { ApiClient } from './api-client.ts';
import { TransferError } from './failure.ts';
import { PLAN_VARIABLE } from './plan.ts';
import type { TransferFailure, TransferPlan } from './plan.ts';
import { sendOut } from './send-out.ts';
import { takeIn } from './take-in.ts';

/** Runs in pods of container nodes, beside the image of the user. Loads little: every such pod waits for it. */

/** Where Kubernetes looks for last words. */
const LAST_WORDS = '/dev/termination-log';

async function main(): Promise<void> {
  const plan = JSON.parse(process.env[PLAN_VARIABLE] ?? '') as TransferPlan;
  const api = new ApiClient(plan, (line) => console.log(line));
  await takeIn(plan.in, api);
  await sendOut(plan, api);
}

main().catch((error: unknown) => {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const failure: TransferFailure = { code: error instanceof TransferError ? error.code : 'ArtifactNotTransferred', message };
  console.error(message);
  writeFileSync(LAST_WORDS, JSON.stringify(failure));
  process.exit(1);
});
