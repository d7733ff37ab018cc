import type { TransferFailure } from './plan.ts';

/** A failure that trying again does not mend. */
export class TransferError extends Error {
  override name = 'TransferError';
  readonly code: TransferFailure['code'];

  constructor(code: TransferFailure['code'], message: string) {
    super(message);
    this.code = code;
  }
}
