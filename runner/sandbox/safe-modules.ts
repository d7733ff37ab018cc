import { createHash, createHmac, getHashes } from 'node:crypto';
import jmespath from 'jmespath';
import { fault, guardedFunction } from './fault.ts';
import { bytesOf, SafeBuffer } from './safe-buffer.ts';
import type { SafeLuxon } from './safe-luxon.ts';

/** `$jmespath(data, expression)`: undefined when the expression is invalid, null where nothing is found. */
export const searchJson = Object.freeze((data: unknown, expression: unknown): unknown => {
  try {
    return jmespath.search(data, String(expression));
  } catch {
    return undefined;
  }
});

interface Hash {
  update(data: unknown, encoding?: unknown): Hash;
  digest(encoding?: unknown): unknown;
}

/** Hashes only: what makes randomness would differ when an execution is recomputed, and keys belong into credentials. */
function makeCrypto(): object {
  return {
    createHash: guardedFunction((algorithm: unknown) => wrapHash(createHash(String(algorithm)))),
    createHmac: guardedFunction((algorithm: unknown, key: unknown) => wrapHash(createHmac(String(algorithm), bytesOrText(key)))),
    getHashes: () => [...getHashes()],
  };
}

function wrapHash(hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>): Hash {
  const wrapped: Hash = {
    update: guardedFunction((data: unknown, encoding?: unknown) => {
      const bytes = bytesOrText(data);
      if (typeof bytes === 'string' && typeof encoding === 'string') hash.update(bytes, encoding as BufferEncoding);
      else hash.update(bytes);
      return wrapped;
    }),
    // Encodings it does not know would make Node give its own Buffer.
    digest: guardedFunction((encoding?: unknown) => (encoding === undefined ? SafeBuffer.from(hash.digest()) : SafeBuffer.from(hash.digest()).toString(encoding))),
  };
  return harden(wrapped);
}

function bytesOrText(value: unknown): string | Uint8Array {
  return typeof value === 'string' ? value : bytesOf(value);
}

/** The `require` of Code nodes. Throws the fault ModuleNotAllowed for everything but a few harmless modules. */
export function makeRequire(luxon: SafeLuxon): (name: unknown) => unknown {
  const modules: Readonly<Record<string, unknown>> = harden({ luxon, jmespath: { search: searchJson }, crypto: makeCrypto(), buffer: { Buffer: SafeBuffer } });
  return (name) => {
    const key = String(name).replace(/^node:/, '');
    if (!Object.hasOwn(modules, key)) throw fault('ModuleNotAllowed', `Module '${key}' is disallowed. Code may require: ${Object.keys(modules).join(', ')}.`);
    return modules[key];
  };
}
