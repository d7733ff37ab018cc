/**
 * What the operator's caches cost at the least: a process that lists and watches Workflows and the metadata of ControllerRevisions, keeps
 * the parsed JSON, and does nothing. Prints a line of JSON once it has all.
 */
import process from 'node:process';
import { connect } from '../../operator/kube/index.ts';

interface List {
  items: { metadata: { uid: string } }[];
  metadata: { resourceVersion: string; continue?: string };
}

const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const cluster = await connect();
const kept = new Map<string, unknown>();

async function listAndWatch(path: string, accept?: string): Promise<void> {
  let next: string | undefined;
  let version = '';
  do {
    const page: List = await cluster.request(path, { query: { limit: 500, continue: next }, ...(accept === undefined ? {} : { accept }) });
    for (const item of page.items) kept.set(item.metadata.uid, item);
    version = page.metadata.resourceVersion;
    next = page.metadata.continue;
  } while (next !== undefined && next !== '');
  const chunks = await cluster.stream(path, { query: { watch: true, resourceVersion: version }, idleMs: 0, signal: new AbortController().signal });
  void (async () => { for await (const _ of chunks); })();
}

await Promise.all([listAndWatch('/apis/millrace.dev/v1alpha1/workflows'), listAndWatch('/apis/apps/v1/controllerrevisions', METADATA)]);
process.stdout.write(`${JSON.stringify({ objects: kept.size })}\n`);
