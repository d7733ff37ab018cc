import { expect, test } from '@jest/globals';
import { EventRecorder } from './events.ts';
import { silentLog } from './log.ts';
import { manualClock } from './manual-clock.ts';
import type { Cluster, RequestOptions } from './cluster.ts';
import type { EventDetails, EventRecorderOptions } from './events.ts';
import type { ManualClock } from './manual-clock.ts';
import type { AnyObject } from './object.ts';

interface Sent {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

function world(options: Partial<EventRecorderOptions> & { fail?: boolean } = {}): { clock: ManualClock; events: EventRecorder; sent: Sent[]; dropped: () => number } {
  const clock = manualClock();
  const sent: Sent[] = [];
  let drops = 0;
  const cluster = {
    async request(path: string, { method = 'GET', body }: RequestOptions = {}) {
      if (options.fail) throw new Error('namespace is going away');
      sent.push({ method, path, body: body as Record<string, unknown> });
      return {};
    },
  } as unknown as Cluster;
  const events = new EventRecorder({ cluster, reportingController: 'c', reportingInstance: 'i', clock, log: silentLog, onDropped: () => (drops += 1), ...options });
  return { clock, events, sent, dropped: () => drops };
}

const object = (name = 'a'): AnyObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'ns', uid: `u-${name}`, resourceVersion: '5' } });
const details = (rest: Partial<EventDetails> = {}): EventDetails => ({ type: 'Normal', reason: 'Done', note: 'it is done', action: 'Reconcile', ...rest });

test('an event says what happened to which object, when and by whom', async () => {
  const { events, sent, clock } = world();
  events.record(object(), details({ note: 'x'.repeat(2000) }));
  await clock.advance(0);
  expect(sent).toMatchObject([
    {
      method: 'POST',
      path: '/apis/events.k8s.io/v1/namespaces/ns/events',
      body: {
        eventTime: expect.stringMatching(/\.\d{6}Z$/),
        reportingController: 'c',
        reportingInstance: 'i',
        type: 'Normal',
        reason: 'Done',
        action: 'Reconcile',
        regarding: { apiVersion: 'v1', kind: 'Thing', name: 'a', namespace: 'ns', uid: 'u-a', resourceVersion: '5' },
      },
    },
  ]);
  expect(String(sent[0]?.body['note']).length).toBe(1024);
});

test('repeats are counted on the first event, and written now and then', async () => {
  const { events, sent, clock } = world();
  for (let i = 0; i < 10; i += 1) events.record(object(), details());
  events.record(object('b'), details());
  events.record(object(), details({ reason: 'Other' }));
  await clock.advance(31_000);
  expect(sent.map(({ method, body }) => `${method} ${JSON.stringify((body['series'] as { count: number } | undefined)?.count)}`)).toEqual(['POST undefined', 'POST undefined', 'POST undefined', 'PATCH 10']);
  await clock.advance(700_000);
  events.record(object(), details());
  await clock.advance(0);
  expect(sent.at(-1)?.method).toBe('POST');
});

test('too many are dropped and counted, and failures harm nobody', async () => {
  const many = world();
  for (let i = 0; i < 300; i += 1) many.events.record(object(`o${i}`), details());
  await many.clock.advance(0);
  expect([many.sent.length, many.dropped()]).toEqual([100, 200]);
  const failing = world({ fail: true });
  failing.events.record(object(), details());
  await failing.events.close();
});

test('closing writes the counts that are due, and leaves no timer', async () => {
  const { events, sent, clock } = world();
  events.record(object(), details());
  events.record(object(), details());
  await events.close();
  events.record(object('late'), details());
  expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
  expect(clock.pending).toBe(0);
});

test('nothing is written while another replica may lead', async () => {
  const { events, sent } = world({ mayWrite: () => false });
  events.record(object(), details());
  await events.close();
  expect(sent).toEqual([]);
});
