/** A durable queue on PostgreSQL, seen through the few things all of them can do. Every job carries the same payload. */
export interface Contender {
  name: string;
  /** One job, acknowledged when durable. */
  enqueue(): Promise<void>;
  /** Many jobs in one call. */
  enqueueBatch(count: number): Promise<void>;
  /** Claims and completes everything that is queued, in batches where the library can. Resolves when `count` were completed. */
  drain(count: number): Promise<void>;
  close(): Promise<void>;
}

export type OpenContender = (url: string) => Promise<Contender>;

/** About 400 bytes of JSON: the trigger item of a small webhook. */
export const ITEM = {
  json: {
    headers: { 'content-type': 'application/json', 'user-agent': 'bench/1.0', host: 'example.test' }, params: {}, query: {},
    body: { id: 'A-10001', customer: { name: 'Ada Example', email: 'ada@example.test' }, lines: [{ sku: 'X-1', count: 2, price: 19.9 }, { sku: 'Y-7', count: 1, price: 5 }], total: 44.8 },
  },
};

export const BATCH = 200;
