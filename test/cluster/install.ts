import { join } from 'node:path';

import { postgresImage } from './images/postgres-image.ts';
import { productImage } from './images/product-image.ts';
import { MADE_HERE } from './made-here.ts';
import { step } from './progress.ts';
import type { Cluster } from './target.ts';

const checkout = join(import.meta.dirname, '..', '..');

export const RELEASE = 'millrace';

/** How pods of a namespace are checked: every one that this project makes must pass the strictest profile. */
const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/enforce-version': 'latest',
};

/** Creates a namespace that admits only pods of the restricted profile. Throws when a shared cluster has one that we did not make. */
export async function createNamespace(cluster: Cluster, name: string): Promise<void> {
  const { label, value } = MADE_HERE;
  if (cluster.shared) {
    const there = await cluster.kubectl('get', 'namespace', name, '--ignore-not-found', '--output', 'json');
    if (there !== '' && (JSON.parse(there) as { metadata: { labels?: Record<string, string> } }).metadata.labels?.[label] !== value) {
      throw new Error(`The cluster has a namespace ${name} already, without the label ${label}=${value} of those that these commands make: they leave it alone`);
    }
  }
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...RESTRICTED, [label]: value } } });
}

export interface InstallOptions {
  /** Folder whose chart and sources are installed. Default: this checkout. */
  readonly root?: string;
  /** Where the release goes. Default `millrace`. */
  readonly namespace?: string;
  /** Values of the chart, merged over those that name the images. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** Where an installation is reached. */
export interface Installation {
  readonly namespace: string;
  /** URL of the API on this host, without a slash at the end. */
  readonly apiUrl: string;
}

/** Installs or upgrades charts/millrace with Helm, with images built from the same folder, and waits until executions can run. */
export async function installMillrace(cluster: Cluster, { root = checkout, namespace = RELEASE, values = {} }: InstallOptions = {}): Promise<Installation> {
  const [product, postgres] = await step('Building images', async () => [await productImage(root, cluster.builder), await postgresImage(checkout, cluster.builder)] as const);
  const names = await step('Loading images into the cluster', async () => ({ product: await cluster.load(product), postgres: await cluster.load(postgres) }));
  await step(`Installing charts/millrace in namespace ${namespace}`, async () => {
    await createNamespace(cluster, namespace);
    const all = { image: imageValues(names.product), postgres: { image: imageValues(names.postgres) }, ...cluster.values, ...values };
    const wait = ['--wait', '--timeout', '5m'];
    await explained(cluster, namespace, () => cluster.helm(['upgrade', '--install', RELEASE, join(root, 'charts', 'millrace'), '--namespace', namespace, '--values', '-', ...wait], JSON.stringify(all)));
    const pool = ['--namespace', namespace, 'wait', 'runnerpools.millrace.dev/default', '--timeout=2m'];
    await cluster.kubectl(...pool, '--for=create');
    await cluster.kubectl(...pool, '--for=condition=Ready');
  });
  return { namespace, apiUrl: await cluster.serviceUrl(namespace, `${RELEASE}-api`) };
}

/** Helm says only that it waited in vain; which pods are not ready, and why, is added to its message. */
async function explained<T>(cluster: Cluster, namespace: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const pods = await cluster.kubectl('-n', namespace, 'get', 'pods', '-o', 'wide');
    const events = await cluster.kubectl('-n', namespace, 'get', 'events', '--field-selector', 'type=Warning', '--sort-by', 'lastTimestamp');
    throw new Error(`The installation failed. Pods:\n${pods}\nWarnings:\n${events.split('\n').slice(-20).join('\n')}`, { cause });
  }
}

function imageValues(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(':');
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
