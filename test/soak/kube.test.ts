import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { growth } from '../bench/growth.ts';
import { eventually } from '../eventually.ts';
import { ballast, startKubeWorker } from '../integration/kube-worker-process.ts';
import { startKubeWorld, type KubeWorld } from '../integration/kube-world.ts';
import type { Sample } from '../integration/kube-worker.ts';
import { SOAK_SECONDS } from './soak-seconds.ts';

jest.setTimeout((SOAK_SECONDS + 900) * 1000);

let world: KubeWorld;
beforeAll(async () => {
  world = await startKubeWorld();
});
afterAll(() => world.stop());

test(`${SOAK_SECONDS} s of changes and broken connections: the runtime of the operator misses nothing, its memory and sockets stay flat`, async () => {
  const { widgets } = world;
  const namespace = await world.newNamespace();
  const proxy = await world.startProxy();
  const { server } = await proxy.credentials({ signal: new AbortController().signal, rejected: false });
  const worker = startKubeWorker(server, namespace);
  const end = performance.now() + SOAK_SECONDS * 1000;
  const samples: Sample[] = [];
  let round = 0;
  while (performance.now() < end) {
    round += 1;
    const name = `w${round % 50}`;
    if (round % 17 === 0) await widgets.delete(`${namespace}/${name}`);
    else await widgets.apply({ metadata: { name, namespace }, spec: { size: round, ballast: ballast(round) } });
    if (round % 100 === 0) proxy.resetAll();
    if (round % 250 === 0) proxy.inject({ on: 'watch', fault: { answer: { status: 410 } } });
    if (round % 50 === 0) samples.push(await worker.sample());
    // The soak of executions runs at the same time, on the same machine.
    await delay(25);
  }
  await eventually(async () => {
    const { items } = await widgets.list({ namespace });
    for (const item of items) expect(item.status).toMatchObject({ seen: item.spec.size, observedGeneration: item.metadata.generation });
    expect((await worker.sample()).objects).toBe(items.length);
  });
  await worker.end();
  await proxy.close();

  const heap = growth(samples.map(({ heapMb }) => heapMb));
  const sockets = growth(samples.map((sample) => sample.sockets));
  const last = samples.at(-1);
  process.stderr.write(
    `soak of operator/kube: ${SOAK_SECONDS} s, ${round} changes, ${last?.passes} passes, ${last?.lists} reads; heap ${heap.before.toFixed(1)} -> ${heap.after.toFixed(1)} MB; ` +
      `RSS ${samples.at(0)?.rssMb.toFixed(0)} -> ${last?.rssMb.toFixed(0)} MB; sockets ${sockets.before.toFixed(0)} -> ${sockets.after.toFixed(0)}\n`,
  );
  expect(heap.after).toBeLessThan(heap.before * 1.1 + 2);
  // Four watches, each beside the one it replaces while that closes; as many requests as workers at most; one for events; and the channel to
  // this process. A leak would add four with every reset.
  expect(sockets.after).toBeLessThanOrEqual(2 * 4 + 16 + 1 + 1);
});
