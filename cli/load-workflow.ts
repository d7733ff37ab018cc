import { basename, extname } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { workflow as workflowKind } from '../crds/workflow.ts';
import type { WorkflowSpec } from '../crds/workflow.ts';
import { importWorkflow } from '../importers/n8n/index.ts';
import type { NodeReport } from '../importers/n8n/index.ts';
import { definitionOf } from '../operator/controllers/workflow/definition.ts';
import { nodeTypes } from '../runner/nodes/registry.ts';
import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

/** A workflow read from a file, and what became of each node if it came from n8n. */
export interface LoadedWorkflow {
  /** File, and for one of several documents its number. */
  source: string;
  definition: WorkflowDefinition;
  /** As the cluster would take it. Throws CliError InvalidManifest when it would not. */
  spec(): WorkflowSpec;
  report: readonly NodeReport[];
}

const Manifest = z.looseObject({
  apiVersion: z.literal('millrace.dev/v1alpha1'),
  kind: z.literal('Workflow'),
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().optional() }),
  spec: workflowKind.spec,
});

/**
 * Reads the workflows of a file: Workflow manifests (YAML or JSON; other kinds in the same file are passed over) or one n8n export.
 * Throws CliError InvalidManifest, which names the field.
 */
export async function loadWorkflows(path: string, terminal: Terminal): Promise<LoadedWorkflow[]> {
  const documents = parse(await terminal.read(path), path);
  const loaded = documents.flatMap((document, index) => {
    const source = documents.length > 1 ? `${path}#${index + 1}` : path;
    if (isN8n(document)) return [fromN8n(document, source)];
    return isOtherKind(document) ? [] : [fromManifest(document, source)];
  });
  if (loaded.length > 0) return loaded;
  throw CliError.of('InvalidManifest', `${path} holds neither a Workflow nor an n8n export.`);
}

function parse(text: string, path: string): unknown[] {
  const documents = parseAllDocuments(text);
  if ('empty' in documents) return [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error) throw CliError.of('InvalidManifest', `${path} is neither YAML nor JSON: ${error.message}`, error);
  }
  // Aliases that unfold to more than this are an attack or a mistake.
  return documents.map((document) => document.toJS({ maxAliasCount: 1000 }) as unknown).filter((document) => document !== null);
}

function isN8n(document: unknown): document is Record<string, unknown> {
  return isObject(document) && document['apiVersion'] === undefined && Array.isArray(document['nodes']) && isObject(document['connections']);
}

function isOtherKind(document: unknown): boolean {
  return isObject(document) && typeof document['kind'] === 'string' && typeof document['apiVersion'] === 'string' && document['kind'] !== 'Workflow';
}

function fromN8n(document: Record<string, unknown>, source: string): LoadedWorkflow {
  const { definition, report } = importWorkflow(document, { id: basename(source, extname(source)), nodeTypes });
  const { id: _, name, ...spec } = definition;
  return { source, definition, report, spec: () => parseSpec({ ...spec, displayName: name }, source) };
}

function fromManifest(document: unknown, source: string): LoadedWorkflow {
  const parsed = Manifest.safeParse(document);
  if (!parsed.success) throw CliError.of('InvalidManifest', `${source} is not a valid Workflow:\n${z.prettifyError(parsed.error)}`);
  const { metadata, spec } = parsed.data;
  return { source, definition: definitionOf({ metadata: { name: metadata.name, namespace: metadata.namespace ?? 'default' }, spec }), report: [], spec: () => spec };
}

function parseSpec(spec: object, source: string): WorkflowSpec {
  const parsed = workflowKind.spec.safeParse(spec);
  if (parsed.success) return parsed.data;
  throw CliError.of('InvalidManifest', `${source} makes no valid Workflow:\n${z.prettifyError(parsed.error)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
