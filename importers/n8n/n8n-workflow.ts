/** What an importer may rely on in a workflow exported from n8n: little. Everything is checked where it is read. */
export interface N8nWorkflow {
  name?: unknown;
  nodes?: unknown;
  connections?: unknown;
  settings?: unknown;
  pinData?: unknown;
  [key: string]: unknown;
}

export interface N8nNode {
  name: string;
  type: string;
  [key: string]: unknown;
}

export type JsonRecord = Record<string, unknown>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The entries of `from` whose keys are not in `known`, or undefined when there are none. */
export function unknownKeys(from: JsonRecord, known: ReadonlySet<string>): JsonRecord | undefined {
  const rest = Object.entries(from).filter(([key]) => !known.has(key));
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}
