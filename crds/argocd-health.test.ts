import { describe, expect, test } from '@jest/globals';
import { LuaFactory } from 'wasmoon';
import { healthScript } from '../charts/argocd/snippet.ts';

const condition = (type: string, status = 'True') => ({ type, status, reason: 'R', message: `says ${type}` });

/** As Argo CD runs it: the object in `obj`, a table with status and message as the result, no libraries of its own. */
async function health(status: object | undefined): Promise<unknown> {
  const lua = await new LuaFactory().createEngine();
  try {
    lua.global.set('obj', { metadata: { name: 'x', generation: 2 }, ...(status === undefined ? {} : { status }) });
    return await lua.doString(healthScript);
  } finally {
    lua.global.close();
  }
}

describe('Argo CD shows an object', () => {
  test.each([
    { name: 'that nobody has looked at', status: undefined, want: 'Progressing' },
    { name: 'as it was created', status: { observedGeneration: -1 }, want: 'Progressing' },
    { name: 'that has changed since', status: { observedGeneration: 1, conditions: [condition('Ready')] }, want: 'Progressing' },
    { name: 'that is ready', status: { observedGeneration: 2, conditions: [condition('Ready')] }, want: 'Healthy', message: 'says Ready' },
    { name: 'that is being worked on', status: { observedGeneration: 2, conditions: [condition('Ready', 'Unknown'), condition('Reconciling')] }, want: 'Progressing', message: 'says Reconciling' },
    { name: 'that needs a person', status: { observedGeneration: 2, conditions: [condition('Ready', 'False'), condition('Stalled')] }, want: 'Degraded', message: 'says Stalled' },
    { name: 'that is suspended', status: { observedGeneration: 2, conditions: [condition('Ready'), condition('Suspended')] }, want: 'Suspended', message: 'says Suspended' },
    { name: 'of no conditions', status: { observedGeneration: 2 }, want: 'Progressing' },
  ])('$name as $want', async ({ status, want, message }) => {
    expect(await health(status)).toMatchObject({ status: want, ...(message === undefined ? {} : { message }) });
  });
});
