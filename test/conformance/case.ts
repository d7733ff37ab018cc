import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { N8nWorkflow } from '../../importers/n8n/n8n-workflow.ts';

/** One call of a production case's webhook. */
export interface Call {
  method?: string;
  /** Default: `/webhook/<path of the node>`. */
  path?: string;
  /** With its question mark. */
  query?: string;
  headers?: Record<string, string>;
  body?: unknown;
  rawBody?: string;
}

/** A case of a conformance suite; see the suite's README. */
export interface Case {
  name: string;
  area: string;
  about: string;
  mode?: 'production';
  calls?: Call[];
  needsEchoServer?: boolean;
  credentials?: { id: string; name: string; type: string; data: JsonObject }[];
  subWorkflows?: { id: string; active: boolean; workflow: N8nWorkflow }[];
  quirk?: boolean;
  workflow: N8nWorkflow;
  expected: Recording;
}

export interface RecordedItem {
  json: unknown;
  pairedItem?: unknown;
  binary?: Record<string, Record<string, unknown>>;
}

export interface RecordedRun {
  status: string;
  source?: ({ node: string; output: number; run: number } | null)[];
  outputs?: (RecordedItem[] | null)[];
  error?: unknown;
}

export interface SingleRecording {
  status?: string;
  error?: { node?: string; message?: string };
  lastNode?: string;
  order?: string[];
  nodes?: Record<string, RecordedRun[]>;
}

/** What was observed of a case: one run, or one per call of a production case. */
export interface Recording extends SingleRecording {
  runs?: SingleRecording[];
  responses?: { status: number; body: string }[];
  subExecutions?: Record<string, SingleRecording[]>;
}

/** The cases below a folder, `<area>/<name>.json`, in order. */
export function loadCases(dir: string, wanted: { area?: string; name?: string } = {}): Case[] {
  const areas = readdirSync(dir).filter((area) => statSync(join(dir, area)).isDirectory()).sort();
  return areas.filter((area) => wanted.area === undefined || area === wanted.area).flatMap((area) =>
    readdirSync(join(dir, area)).sort()
      .filter((file) => file.endsWith('.json') && (wanted.name === undefined || file.startsWith(wanted.name)))
      .map((file) => JSON.parse(readFileSync(join(dir, area, file), 'utf8')) as Case));
}
