import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** As much of an API server as reading Secrets takes, and a kubeconfig for it. */
export interface SecretServer {
  readonly kubeconfig: string;
  /** Adds a credential to a namespace. */
  add(namespace: string, name: string, credential: { type: string; fields: Record<string, string> }): void;
  /** Secrets that were asked for, as namespace/name. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function startSecretServer(): Promise<SecretServer> {
  const secrets = new Map<string, object>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const [, namespace = '', name = ''] = /^\/api\/v1\/namespaces\/([^/]+)\/secrets\/([^/?]+)$/.exec(request.url ?? '') ?? [];
    asked.push(`${namespace}/${name}`);
    const secret = secrets.get(`${namespace}/${name}`);
    response.writeHead(secret ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(secret ?? { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' }));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const dir = await mkdtemp(join(tmpdir(), 'millrace-secrets-'));
  const kubeconfig = join(dir, 'config.json');
  await writeFile(kubeconfig, JSON.stringify({
    'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }], users: [{ name: 'c', user: { token: 'none' } }],
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
  }));
  return {
    kubeconfig, asked,
    add(namespace, name, { type, fields }) {
      const data = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
      secrets.set(`${namespace}/${name}`, { metadata: { labels: { 'millrace.dev/credential-type': type } }, data });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
      await rm(dir, { recursive: true });
    },
  };
}
