import { expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExecutionMode } from './engine/node-run.ts';
import { plainSandbox } from './engine/testing/plain-sandbox.ts';
import { testNodes } from './engine/testing/test-nodes.ts';
import { workflowOf } from './engine/testing/test-workflow.ts';
import { createLocalHost, executeLocally } from './local-host.ts';

const sandbox = plainSandbox;

test.each(['memory', 'files'])('what is put into %s comes back, with size and digest', async (kind) => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-'));
  try {
    const { binaries } = createLocalHost({ sandbox, ...(kind === 'files' ? { binaryDir: join(dir, 'made', 'when needed') } : {}) });
    const reference = await binaries.put(Buffer.from('hello'), { mimeType: 'text/plain', fileName: '../../name.txt' });
    expect(reference).toMatchObject({ mimeType: 'text/plain', size: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' });
    expect(Buffer.from(await binaries.get(reference)).toString()).toBe('hello');
    await expect(binaries.get({ ...reference, id: '../secret' })).rejects.toMatchObject({ code: 'BinaryNotFound' });
    await expect(binaries.get({ ...reference, id: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({ code: 'BinaryNotFound' });
    expect(await readdir(dir)).toEqual(kind === 'files' ? ['made'] : []);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('credentials are found by type and name', async () => {
  const host = createLocalHost({ sandbox, credentials: { 'api/mine': { key: 'k' } } });
  const asked = { type: 'api', node: 'N', workflow: workflowOf({}, []) };
  expect(await host.credential({ ...asked, name: 'mine' })).toEqual({ key: 'k' });
  expect(await host.credential({ ...asked, name: 'Mine' })).toEqual({ key: 'k' });
  await expect(host.credential({ ...asked, name: 'other' })).rejects.toMatchObject({ code: 'CredentialNotFound' });
});

const waiting = (parameters: object): Parameters<typeof executeLocally>[0] => ({
  executionId: 'e1', mode: ExecutionMode.Manual, start: { node: 'Start', items: [{ json: {} }] },
  workflow: workflowOf({ Start: { type: 'start' }, Wait: { type: 'wait', parameters: { ...parameters } }, End: { type: 'pass' } }, ['Start > Wait', 'Wait > End']),
});

test('a wait with a time is slept through, one for a request is not', async () => {
  const host = createLocalHost({ sandbox });
  expect((await executeLocally(waiting({ after: 20 }), host, testNodes())).status).toBe('Succeeded');
  expect((await executeLocally(waiting({ on: 'webhook' }), host, testNodes())).status).toBe('Waiting');
  expect((await executeLocally({ ...waiting({ on: 'webhook' }), resumeItems: [{ json: {} }] }, host, testNodes())).status).toBe('Waiting');
});

test('cancel ends a long sleep', async () => {
  const stop = new AbortController();
  const running = executeLocally({ ...waiting({ after: 1e12 }), signal: stop.signal }, createLocalHost({ sandbox }), testNodes());
  setImmediate(() => stop.abort());
  expect((await running).status).toBe('Canceled');
});
