import { zstdDecompressSync } from 'node:zlib';
import { WorkflowError } from '../engine/error.ts';
import type { ToExecutor } from './protocol.ts';

/** Asks the supervisor for the memory of a Python interpreter that has started, once for all who want it at the time. */
export class PythonMemory {
  readonly #ask: () => void;
  #asked: PromiseWithResolvers<Uint8Array> | undefined;

  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** Rejects with the WorkflowError that the supervisor answered. */
  get(): Promise<Uint8Array> {
    if (!this.#asked) {
      this.#asked = Promise.withResolvers();
      this.#ask();
    }
    return this.#asked.promise;
  }

  receive({ snapshot, error }: Extract<ToExecutor, { kind: 'python' }>): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (snapshot) asked?.resolve(zstdDecompressSync(snapshot));
    else asked?.reject(new WorkflowError(error?.code ?? 'PythonUnavailable', error?.message ?? 'The Python interpreter could not be started.'));
  }
}
