import { Namespace } from '../../operator/kube/builtin.ts';
import { client, connect } from '../../operator/kube/index.ts';
import type { Client, Cluster } from '../../operator/kube/index.ts';
import { kubeconfig } from '../../operator/kube/kubeconfig.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { Widget, definition } from './kube-widget.ts';

/** A control plane for tests of operator/kube. */
export interface KubeWorld {
  readonly plane: ControlPlane;
  /** As a person with all rights, past any proxy. */
  readonly direct: Cluster;
  readonly widgets: Client<Widget>;
  /** Makes a namespace that no other test uses. Resolves to its name. */
  newNamespace(): Promise<string>;
  /** A proxy in front of the API server, with the person's credentials. */
  startProxy(): ReturnType<typeof startFaultProxy>;
  stop(): Promise<void>;
}

/** Starts it with the kind Widget, and with other kinds just like it. */
export async function startKubeWorld(others: readonly { plural: string; kind: string }[] = []): Promise<KubeWorld> {
  const plane = await startControlPlane();
  const direct = await connect({ kubeconfig: plane.kubeconfig });
  await plane.apply(definition(), ...others.map(({ plural, kind }) => definition(plural, kind)));
  await plane.kubectl('wait', '--for=condition=Established', ...['widgets', ...others.map(({ plural }) => plural)].map((plural) => `crd/${plural}.example.dev`));
  const namespaces = client(direct, Namespace, { fieldManager: 'person' });
  let made = 0;
  return {
    plane, direct,
    widgets: client(direct, Widget, { fieldManager: 'person' }),
    async newNamespace() {
      made += 1;
      const { metadata } = await namespaces.create({ metadata: { name: `test-${made}` } });
      return metadata.name;
    },
    async startProxy() {
      const source = kubeconfig({ files: [plane.kubeconfig], now: () => Date.now() });
      return startFaultProxy(await source({ signal: new AbortController().signal, rejected: false }));
    },
    async stop() {
      await direct.close();
      await plane.stop();
    },
  };
}
