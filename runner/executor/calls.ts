import { WorkflowError } from '../engine/error.ts';
import type { Method, SupervisorMethods, ToExecutor, ToSupervisor } from './protocol.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(error: WorkflowError): void;
}

/** Requests from this executor to its supervisor, matched to their answers by number. */
export class Calls {
  #next = 0;
  readonly #pending = new Map<number, Pending>();
  readonly #send: (message: ToSupervisor) => void;

  constructor(send: (message: ToSupervisor) => void) {
    this.#send = send;
  }

  /** Rejects with the WorkflowError that the supervisor answered. */
  call<M extends Method>(assignment: string, method: M, argument: SupervisorMethods[M][0]): Promise<SupervisorMethods[M][1]> {
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve: (value) => resolve(value as SupervisorMethods[M][1]), reject });
      this.#send({ kind: 'call', call, assignment, method, argument });
    });
  }

  answer(message: Extract<ToExecutor, { kind: 'answer' }>): void {
    const pending = this.#pending.get(message.call);
    this.#pending.delete(message.call);
    if (message.error) pending?.reject(new WorkflowError(message.error.code, message.error.message));
    else pending?.resolve(message.value);
  }
}
