import { fault } from './fault.ts';

/** The timers of one run of a Code node. They end with the run; an error in a callback fails the run. */
export class CodeTimers {
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #fail: (error: unknown) => void;
  #last = 0;
  #closed = false;

  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** Gives a number: Node's own timer object would hand out its class. */
  start(callback: unknown, ms: unknown, options: { repeat: boolean; args: readonly unknown[] }): number {
    if (this.#closed) throw fault('CodeEnded', 'This run of the Code node is over.');
    if (typeof callback !== 'function') throw new TypeError('A timer needs a function');
    this.#last += 1;
    const id = this.#last;
    const run = (): void => {
      if (!options.repeat) this.#timers.delete(id);
      try {
        Reflect.apply(callback, undefined, options.args);
      } catch (error) {
        this.#fail(error);
      }
    };
    this.#timers.set(id, options.repeat ? setInterval(run, Number(ms)) : setTimeout(run, Number(ms)));
    return id;
  }

  stop(id: unknown): void {
    clearTimeout(this.#timers.get(Number(id)));
    this.#timers.delete(Number(id));
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
