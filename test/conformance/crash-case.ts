import { executeThroughCrash, crashPoints } from '../../runner/engine/testing/crash.ts';
import type { CrashLog, CrashPoint } from '../../runner/engine/testing/crash.ts';
import type { NodeTypes } from '../../runner/engine/graph.ts';
import type { NodeContext, NodeOutput, NodeType } from '../../runner/engine/node-type.ts';
import type { Case, Recording } from './case.ts';
import { compareRecordings } from './compare.ts';
import { runCase } from './run-case.ts';
import type { CaseDeps } from './run-case.ts';

export interface CrashReport {
  /** Places the case died at. */
  points: number;
  /** What a death changed; empty when nothing did. */
  differences: string[];
}

/** The node type whose runs reach the world outside. */
const EFFECT = 'httpRequest';

/**
 * Runs a case once undisturbed and once per point it can die at, and compares. The world outside honours idempotency keys: a
 * request that comes again gets the answer it got before.
 */
export async function crashCase(given: Case, deps: Pick<CaseDeps, 'nodeTypes' | 'sandbox' | 'parallelBranches'>): Promise<CrashReport> {
  const plain = await runThrough(given, deps);
  const points = crashPoints(plain.log.commits);
  const differences: string[] = [];
  for (const point of points) {
    const crashed = await runThrough(given, deps, point);
    const repeated = crashed.effects.length - plain.effects.length;
    const lost = crashed.log.lost?.runs.filter(({ node }) => plain.effects.some((effect) => effect.node === node)).length ?? 0;
    const keys = new Set(plain.effects.map(({ key }) => key));
    const found = [
      ...compareRecordings(plain.recording, crashed.recording),
      ...(repeated === lost ? [] : [`${repeated} effects happened again, ${lost} were lost`]),
      ...crashed.effects.filter(({ key }) => !keys.has(key)).map(({ node }) => `${node} got another idempotency key`),
    ];
    differences.push(...found.map((text) => `${point.when} commit ${point.commit}: ${text}`));
  }
  return { points: points.length, differences };
}

interface Effect {
  node: string;
  key: string;
}

async function runThrough(given: Case, deps: Pick<CaseDeps, 'nodeTypes' | 'sandbox' | 'parallelBranches'>, point?: CrashPoint): Promise<{ recording: Recording; log: CrashLog; effects: Effect[] }> {
  const log: CrashLog = { commits: 0, lives: 0 };
  const effects: Effect[] = [];
  const nodeTypes = withIdempotentWorld(deps.nodeTypes, effects);
  const recording = await runCase(given, { ...deps, nodeTypes, run: (request, host) => executeThroughCrash(request, host, nodeTypes, { point, log }) });
  return { recording, log, effects };
}

type Answer = { output: NodeOutput } | { error: unknown };

function withIdempotentWorld(nodeTypes: NodeTypes, effects: Effect[]): NodeTypes {
  const original = nodeTypes.get(EFFECT);
  if (!original) return nodeTypes;
  const answers = new Map<string, Answer[]>();
  const tries = new WeakMap<NodeContext, number>();
  const remembered: NodeType = {
    ...original,
    async execute(context) {
      const key = context.idempotencyKey(0);
      const tried = tries.get(context) ?? 0;
      tries.set(context, tried + 1);
      if (tried === 0) effects.push({ node: context.node.name, key });
      const known = answers.get(key) ?? [];
      answers.set(key, known);
      const answer = (known[tried] ??= await answerOf(original, context));
      if ('error' in answer) throw answer.error;
      return structuredClone(answer.output);
    },
  };
  return new Map([...nodeTypes, [EFFECT, remembered]]);
}

async function answerOf(type: NodeType, context: NodeContext): Promise<Answer> {
  try {
    return { output: structuredClone(await type.execute(context)) };
  } catch (error) {
    return { error };
  }
}
