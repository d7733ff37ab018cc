import { Buffer } from 'node:buffer';
import { guarded } from './fault.ts';

type BufferSource = string | ArrayBuffer | ArrayLike<number> | { type: 'Buffer'; data: readonly number[] };

/**
 * Node's Buffer for sandboxed code, in what people use of it. The real one hands out views of a memory pool that all
 * executions of a process share, and uninitialised memory; this one always owns its memory.
 */
export class SafeBuffer extends Uint8Array<ArrayBuffer> {
  constructor(source: number | ArrayBuffer | ArrayLike<number>, byteOffset?: number, length?: number) {
    // The base class tells the forms apart itself; its types only know the last one.
    super(source as ArrayBuffer, byteOffset, length);
  }

  static override from(source: unknown, encoding?: unknown, length?: unknown): SafeBuffer {
    if (source instanceof ArrayBuffer) return new SafeBuffer(source, optionalNumber(encoding), optionalNumber(length));
    if (typeof source === 'string') return SafeBuffer.#own(Buffer.from(source, encodingOf(encoding)));
    const data = source as Exclude<BufferSource, string | ArrayBuffer>;
    return new SafeBuffer('data' in data ? data.data : data);
  }

  static alloc(size: number, fill?: string | number, encoding?: string): SafeBuffer {
    return SafeBuffer.#own(Buffer.alloc(size, fill, encodingOf(encoding)));
  }

  static allocUnsafe(size: number): SafeBuffer {
    return new SafeBuffer(size);
  }

  static concat(list: readonly Uint8Array[], totalLength?: number): SafeBuffer {
    return SafeBuffer.#own(Buffer.concat([...list].map(bytesOf), totalLength));
  }

  static byteLength(value: string | ArrayBufferView, encoding?: string): number {
    return typeof value === 'string' ? Buffer.byteLength(value, encodingOf(encoding)) : value.byteLength;
  }

  static isBuffer(value: unknown): boolean {
    return value instanceof SafeBuffer;
  }

  static isEncoding(encoding: string): boolean {
    return Buffer.isEncoding(encoding);
  }

  static compare(left: Uint8Array, right: Uint8Array): number {
    return Buffer.compare(bytesOf(left), bytesOf(right));
  }

  static #own(bytes: Uint8Array): SafeBuffer {
    const own = new SafeBuffer(bytes.byteLength);
    own.set(bytes);
    return own;
  }

  override toString(encoding?: unknown, start?: number, end?: number): string {
    return bytesOf(this).toString(encodingOf(encoding), start, end);
  }

  toJSON(): { type: 'Buffer'; data: number[] } {
    return { type: 'Buffer', data: Array.from(this) };
  }

  equals(other: Uint8Array): boolean {
    return bytesOf(this).equals(bytesOf(other));
  }

  compare(other: Uint8Array): number {
    return Buffer.compare(bytesOf(this), bytesOf(other));
  }

  write(text: string, offset = 0, length?: number, encoding?: string): number {
    return bytesOf(this).write(text, offset, length ?? this.length - offset, encodingOf(encoding));
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end = this.length): number {
    return bytesOf(this).copy(bytesOf(target), targetStart, start, end);
  }

  /** Shares memory with this buffer, as in Node. */
  override slice(start?: number, end?: number): SafeBuffer {
    return this.subarray(start, end);
  }

  override subarray(start?: number, end?: number): SafeBuffer {
    return super.subarray(start, end) as SafeBuffer;
  }

  override indexOf(value: number | string | Uint8Array, from?: number, encoding?: string): number {
    return bytesOf(this).indexOf(typeof value === 'object' ? bytesOf(value) : value, from, encodingOf(encoding));
  }

  override includes(value: number | string | Uint8Array, from?: number, encoding?: string): boolean {
    return this.indexOf(value, from, encoding) >= 0;
  }
}

/** The same bytes as a real Buffer, never handed out. */
export function bytesOf(value: unknown): Buffer {
  if (!(value instanceof Uint8Array)) throw new TypeError('Expected a Buffer or Uint8Array');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function encodingOf(encoding: unknown): BufferEncoding | undefined {
  return typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined;
}

function optionalNumber(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}

const WIDTHS = { UInt8: 1, Int8: 1, UInt16: 2, Int16: 2, UInt32: 4, Int32: 4, Float: 4, Double: 8, BigUInt64: 8, BigInt64: 8 } as const;

/** Adds readUInt16LE, writeDoubleBE and all the others. */
function addNumberMethods(): void {
  for (const [name, width] of Object.entries(WIDTHS)) {
    for (const suffix of width === 1 ? [''] : ['LE', 'BE']) {
      const view = name.replace('UInt', 'Uint').replace('Float', 'Float32').replace('Double', 'Float64');
      const little = suffix === 'LE';
      const methods = {
        [`read${name}${suffix}`](this: SafeBuffer, offset = 0): unknown {
          const data = new DataView(this.buffer, this.byteOffset, this.byteLength);
          return Reflect.apply(Reflect.get(data, `get${view}`) as () => unknown, data, [offset, little]);
        },
        [`write${name}${suffix}`](this: SafeBuffer, value: unknown, offset = 0): number {
          const data = new DataView(this.buffer, this.byteOffset, this.byteLength);
          Reflect.apply(Reflect.get(data, `set${view}`) as () => void, data, [offset, value, little]);
          return offset + width;
        },
      };
      for (const [key, value] of Object.entries(methods)) Object.defineProperty(SafeBuffer.prototype, key, { value, writable: true, configurable: true });
    }
  }
}
addNumberMethods();

/** Node's errors have classes of their own, which must not get into the sandbox. */
function guardMethods(owner: object): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
    const method: unknown = descriptor.value;
    if (typeof method !== 'function' || name === 'constructor') continue;
    const safe = {
      method(this: unknown, ...args: unknown[]): unknown {
        return guarded(() => Reflect.apply<unknown, unknown[], unknown>(method as (...all: unknown[]) => unknown, this, args));
      },
    };
    Object.defineProperty(owner, name, { ...descriptor, value: safe.method });
  }
}
guardMethods(SafeBuffer);
guardMethods(SafeBuffer.prototype);
