import { guarded } from './fault.ts';

/**
 * Node's TextDecoder and TextEncoder throw errors of classes of its own that lockdown knows nothing of. These throw plain ones.
 * The sandbox gets them hardened.
 */
export class SafeTextDecoder {
  readonly #decoder: InstanceType<typeof TextDecoder>;

  constructor(encoding?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    this.#decoder = guarded(() => new TextDecoder(encoding, options));
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }

  decode(...args: Parameters<InstanceType<typeof TextDecoder>['decode']>): string {
    return guarded(() => this.#decoder.decode(...args));
  }
}

export class SafeTextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(text = ''): Uint8Array {
    return guarded(() => new TextEncoder().encode(text));
  }
}
