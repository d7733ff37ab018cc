import { AsyncLocalStorage } from 'node:async_hooks';
import type { ExecutionView } from '../engine/execution-view.ts';

const storage = new AsyncLocalStorage<ExecutionView>();
let active: ExecutionView | undefined;

/** The execution whose code is running: its clock, its random numbers and its time zone hold. */
export function currentView(): ExecutionView {
  const view = active ?? storage.getStore();
  if (!view) throw new Error('No execution is running');
  return view;
}

export function isSandboxed(): boolean {
  return storage.getStore() !== undefined;
}

/**
 * Makes a view current until `leave`, to be called with what this gives. For code that cannot leave anything running: it costs
 * next to nothing.
 */
export function enter(view: ExecutionView): ExecutionView | undefined {
  const before = active;
  active = view;
  return before;
}

export function leave(before: ExecutionView | undefined): void {
  active = before;
}

/** Makes a view current for `run` and for everything asynchronous that comes of it. */
export function andAfter<T>(view: ExecutionView, run: () => T): T {
  const before = active;
  active = undefined;
  try {
    return storage.run(view, run);
  } finally {
    active = before;
  }
}

/** The time zone of the workflow that is running, UTC outside of any. */
export function currentZone(): string {
  return (active ?? storage.getStore())?.workflow.settings?.timezone ?? 'UTC';
}
