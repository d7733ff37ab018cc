import type { BinaryReference, JsonObject } from './item.ts';

/** A pod that a node wants to have run, once. */
export interface ContainerRequest {
  /** 20 hex digits, the same in every life of the execution: asking again is no second pod. */
  id: string;
  /** Index of the input item it is for. */
  item: number;
  /** A ContainerSpec; whoever makes the pod checks it again. */
  spec: JsonObject;
}

/** All pods of one run of one node. */
export interface ContainerBatch {
  node: string;
  requests: readonly ContainerRequest[];
}

/** How a pod ended, after its retries. */
export interface ContainerResult {
  /** Of the main container; absent when it never ran to an end. */
  exitCode?: number;
  /** What the command gave back: the JSON it wrote, or text. */
  result?: unknown;
  /** The end of what the main container printed. */
  log?: string;
  /** What it wrote, by the name that the item's file gets. */
  files?: Record<string, BinaryReference>;
  /** Name of the last pod; absent when there was none. */
  pod?: string;
  /** Pods that were started for it. */
  attempts: number;
  /** Set when it failed: a documented code and what to do. */
  error?: { code: string; message: string };
}
