import { join } from 'node:path';
import { postgresImage } from './images/postgres-image.ts';
import { productImage } from './images/product-image.ts';
import type { LocalCluster } from './local-cluster.ts';
import { step } from './progress.ts';

const ROOT = join(import.meta.dirname, '../..');
const RELEASE = 'millrace';
const TIMEOUT = '5m';

/** Millrace in a cluster, installed as a user would: the chart of this checkout, by Helm, in a namespace that enforces `restricted`. */
export interface Installation {
  /** Namespace of the release. */
  readonly namespace: string;
  /** The api's Service: webhooks and REST. */
  readonly url: string;
}

/** Repeatable: an installation that is there is upgraded to this checkout. Resolves once runners take work. */
export async function installMillrace(cluster: LocalCluster, values: readonly string[] = []): Promise<Installation> {
  const namespace = RELEASE;
  const product = await step('Building the image', () => productImage(ROOT));
  const postgres = await step('Building the PostgreSQL image', () => postgresImage(ROOT));
  await step('Loading the images into the cluster', async () => {
    await cluster.load(product);
    await cluster.load(postgres);
  });
  await cluster.apply({
    apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  const set = [...imageValues('image', product.name), ...imageValues('postgres.image', postgres.name), 'image.pullPolicy=Never', ...values];
  await step('Installing the Helm chart', () =>
    cluster.helm('upgrade', RELEASE, join(ROOT, 'charts/millrace'), '--install', '--namespace', namespace, '--wait', '--timeout', TIMEOUT, ...set.flatMap((value) => ['--set', value])));
  await step('Waiting for the runners', () => cluster.kubectl('wait', '--namespace', namespace, '--for=condition=Ready', 'runnerpools.millrace.dev', '--all', `--timeout=${TIMEOUT}`));
  return { namespace, url: await cluster.serviceUrl(namespace, `${RELEASE}-api`) };
}

function imageValues(path: string, image: string): string[] {
  const [repository = '', tag = ''] = image.split(/:(?=[^:]*$)/);
  return [`${path}.repository=${repository}`, `${path}.tag=${tag}`];
}
