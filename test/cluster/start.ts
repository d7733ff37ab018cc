import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from './command.ts';
import { createNamespace, installMillrace } from './install.ts';
import { say, step } from './progress.ts';
import { parseStartArguments } from './start-arguments.ts';
import { defaultTarget, openCluster, type Cluster } from './target.ts';

/** `npm start`: a cluster with Millrace in it, an example workflow, and one order through it. */

const root = join(import.meta.dirname, '..', '..');
const EXAMPLE = join('docs', 'examples', 'order-intake.yaml');
const NAMESPACE = 'shop';
const ORDER = JSON.stringify({ customer: 'Ada', lines: [{ sku: 'loom', quantity: 2, price: 640 }] });

/** A namespace for the example, and an account that the command line acts as: Millrace knows users by Kubernetes tokens. */
async function prepareNamespace(cluster: Cluster): Promise<void> {
  await createNamespace(cluster, NAMESPACE);
  const metadata = { name: 'guide', namespace: NAMESPACE };
  await cluster.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
  );
}

async function applyExample(cluster: Cluster): Promise<void> {
  await cluster.apply(await readFile(join(root, EXAMPLE), 'utf8'));
  await cluster.kubectl('-n', NAMESPACE, 'wait', '--for=condition=Ready', 'workflows.millrace.dev/order-intake', '--timeout=1m');
}

/** The answer, and the id of the execution that gave it. */
async function sendOrder(apiUrl: string): Promise<{ text: string; id: string }> {
  const response = await fetch(`${apiUrl}/webhook/${NAMESPACE}/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: ORDER });
  const text = await response.text();
  if (!response.ok) throw new Error(`The webhook answered ${String(response.status)}: ${text}`);
  return { text, id: response.headers.get('millrace-execution-id') ?? '' };
}

/** Runs the command line of this checkout as the example's account. */
async function millrace(cluster: Cluster, ...args: string[]): Promise<string> {
  const account = ['-n', NAMESPACE, '--service-account', 'guide', '--kubeconfig', cluster.kubeconfig];
  return run(process.execPath, [join(root, 'cli', 'main.ts'), ...args, ...account]);
}

async function main(): Promise<void> {
  const { target = await defaultTarget() } = parseStartArguments(process.argv.slice(2));
  const cluster = await openCluster(target, 'local');
  await step('Bringing up the cluster', () => cluster.up());
  const { apiUrl } = await installMillrace(cluster);
  await step(`Applying ${EXAMPLE}`, async () => {
    await prepareNamespace(cluster);
    await applyExample(cluster);
  });
  const { text, id } = await step('Sending an order to its webhook', () => sendOrder(apiUrl));
  say(`The workflow answered ${text}`);
  process.stdout.write(`\n${await millrace(cluster, 'runs', 'get', id)}\n`);
  say(`Millrace runs. Its API: ${apiUrl}`);
  const next = [
    `. ${cluster.shellFile}`,
    `curl -X POST ${apiUrl}/webhook/${NAMESPACE}/orders -H 'content-type: application/json' -d '{"customer":"Grace","lines":[{"sku":"thread","quantity":3,"price":4}]}'`,
    `millrace runs list -n ${NAMESPACE} --service-account guide`,
    `kubectl get workflows.millrace.dev,runnerpools.millrace.dev -A`,
  ];
  process.stdout.write(`\nTools for this shell, then three commands to try (npm run stop removes everything):\n${next.map((line) => `  ${line}\n`).join('')}`);
}

await main();
