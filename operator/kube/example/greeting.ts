import { WaitingError, objectReconciler, ownerReference, reads, resource, toOwner, watch, writes, writesStatus } from '../index.ts';
import { ConfigMap } from '../builtin.ts';
import type { Controller, KubeObject, Manager } from '../index.ts';

export type Greeting = KubeObject<{ name: string }, { shown?: string }>;
export const Greeting = resource<Greeting>({ group: 'example.dev', version: 'v1', plural: 'greetings', kind: 'Greeting' });

/** Shows each Greeting in a ConfigMap of the same name. */
export function greetingController(manager: Manager): Controller {
  const greetings = manager.cache(Greeting);
  const maps = manager.cache(ConfigMap, { labelSelector: 'app=greeter' });
  const client = manager.client(ConfigMap);
  return manager.control({
    name: 'greeting',
    rbac: [...reads(Greeting, ConfigMap), ...writes(ConfigMap), ...writesStatus(Greeting)],
    watches: [watch(greetings), watch(maps, { to: toOwner(Greeting) })],
    reconcile: objectReconciler({
      manager,
      cache: greetings,
      ready: ['Published'], // Ready is True when these are
      async reconcile(greeting, pass) {
        const { name, namespace = 'default' } = greeting.metadata;
        const map = {
          metadata: { name, namespace, labels: { app: 'greeter' }, ownerReferences: [ownerReference(greeting)] },
          data: { text: `Hello ${greeting.spec.name}` },
        };
        const { data } = await client.ensure(map, { live: maps.get(pass.key), signal: pass.signal });
        if (data?.['text'] === undefined) throw new WaitingError('TextMissing', { afterMs: 1000 });
        pass.status.shown = data['text'];
        pass.mark('Published', 'True', 'Applied', 'the text is in the ConfigMap');
        return {}; // or { requeueAfterMs: 60_000 }
      },
    }),
  });
}
