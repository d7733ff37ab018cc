const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** Operations of one transaction that etcd takes. */
const BATCH = 100;

/** Writes keys past the API server, which takes them for written by another API server. */
export async function putAll(etcdUrl: string, values: ReadonlyMap<string, string>): Promise<void> {
  const operations = [...values].map(([key, value]) => ({ requestPut: { key: base64(key), value: base64(value) } }));
  for (let at = 0; at < operations.length; at += BATCH) await ask(`${etcdUrl}/v3/kv/txn`, { success: operations.slice(at, at + BATCH) });
}

/** The value of a key. Throws when there is none. */
export async function read(etcdUrl: string, key: string): Promise<string> {
  const { kvs: [found] = [] } = await ask(`${etcdUrl}/v3/kv/range`, { key: base64(key) }) as { kvs?: { value: string }[] };
  if (found === undefined) throw new Error(`etcd has no ${key}`);
  return Buffer.from(found.value, 'base64').toString();
}

async function ask(url: string, body: object): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`etcd answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
