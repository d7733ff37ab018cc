import { WorkflowError } from './error.ts';
import type { ExecutionView } from './execution-view.ts';
import type { GraphNode } from './graph.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** Gives one parameter's value for one item. Compiled once per node and path. */
export type ParameterReader = (sandbox: Sandbox, view: ExecutionView, itemIndex: number) => unknown;

/** The reader of a parameter, or undefined when the definition does not set it. */
export function readerOf(node: GraphNode, path: string): ParameterReader | undefined {
  const known = node.parameters.get(path);
  if (known) return known;
  const raw = rawParameter(node, path);
  if (raw === undefined) return undefined;
  const reader = isLiteral(node, path) ? constant(raw) : compileValue(raw);
  node.parameters.set(path, reader);
  return reader;
}

/** The parameter as the definition has it; `a.b.0` and `a.b[0]` are the same path. */
export function rawParameter(node: GraphNode, path: string): unknown {
  let value: unknown = node.node.parameters;
  for (const key of path.replaceAll('[', '.').replaceAll(']', '').split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The first part of a path: the name of the parameter that its description lists. */
export function parameterName(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}

/** What the node's description says a parameter is when neither the definition nor the caller gives a value. */
export function defaultOf(node: GraphNode, path: string): unknown {
  return node.type?.parameters.find(({ name }) => name === path)?.default;
}

/** Says which parameter and item an expression belongs to, unless the error knows already. */
export function locateError(error: unknown, path: string, itemIndex: number): unknown {
  if (!(error instanceof WorkflowError)) return error;
  const { details } = error;
  if (details.parameter !== undefined && details.itemIndex !== undefined) return error;
  return new WorkflowError(error.code, error.message, { parameter: path, itemIndex, ...details, cause: error });
}

function isLiteral(node: GraphNode, path: string): boolean {
  const name = parameterName(path);
  return node.type?.parameters.some((parameter) => parameter.name === name && parameter.literal === true) ?? false;
}

function constant(value: unknown): ParameterReader {
  return () => value;
}

function compileValue(raw: unknown): ParameterReader {
  if (typeof raw === 'string') return compileText(raw);
  if (!hasExpression(raw)) return constant(raw);
  if (Array.isArray(raw)) {
    const readers = raw.map(compileValue);
    return (sandbox, view, itemIndex) => readers.map((read) => read(sandbox, view, itemIndex));
  }
  const readers = Object.entries(raw as object).map(([key, value]) => [key, compileValue(value)] as const);
  return (sandbox, view, itemIndex) => Object.fromEntries(readers.map(([key, read]) => [key, read(sandbox, view, itemIndex)]));
}

function compileText(raw: string): ParameterReader {
  if (!raw.startsWith('=')) return constant(raw);
  const template = raw.slice(1);
  return (sandbox, view, itemIndex) => sandbox.evaluate(template, view, itemIndex);
}

function hasExpression(raw: unknown): boolean {
  if (typeof raw === 'string') return raw.startsWith('=');
  if (typeof raw !== 'object' || raw === null) return false;
  return Object.values(raw).some(hasExpression);
}
