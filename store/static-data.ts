import type { StaticData } from '../runner/engine/node-run.ts';
import type { JsonObject } from '../runner/engine/item.ts';
import type { Database, Statement } from './database.ts';
import { decodePayload } from './payload.ts';
import type { WorkflowKey } from './route.ts';

/** What workflows keep between executions. It is written when an execution finishes. */
export interface StaticDataStore {
  get(key: WorkflowKey): Promise<StaticData>;
}

const GET: Statement = {
  name: 'static-data-get',
  text: 'SELECT array_agg(scope) AS scopes, array_agg(data) AS data FROM millrace.static_data WHERE namespace = $1 AND workflow = $2',
};

/** The rows of one workflow, an empty scope being `global`. */
export function toStaticData(scopes: readonly string[], data: readonly Buffer[]): StaticData {
  const staticData: StaticData = { global: {}, nodes: {} };
  scopes.forEach((scope, index) => {
    const bytes = data[index];
    if (bytes === undefined) return;
    const value = decodePayload(bytes) as JsonObject;
    if (scope === '') staticData.global = value;
    else staticData.nodes[scope] = value;
  });
  return staticData;
}

export function createStaticData(database: Database): StaticDataStore {
  return {
    async get({ namespace, workflow }) {
      const [row] = await database.query<{ scopes: string[] | null; data: Buffer[] | null }>(GET, [namespace, workflow]);
      return toStaticData(row?.scopes ?? [], row?.data ?? []);
    },
  };
}
