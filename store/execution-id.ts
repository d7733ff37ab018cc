import { randomFillSync } from 'node:crypto';

/** Makes UUIDv7s that sort in the order they were made in, also within a millisecond. `now`: milliseconds since the epoch. */
export function executionIds(now: () => number, fill: (bytes: Uint8Array) => void = (bytes) => { randomFillSync(bytes); }): () => string {
  // 48 bits of milliseconds and 12 bits of a count (RFC 9562, method 1), which never go back.
  let last = 0n;
  const bytes = Buffer.alloc(16);
  return () => {
    const time = BigInt(Math.floor(now())) << 12n;
    last = time > last ? time : last + 1n;
    fill(bytes);
    bytes.writeUIntBE(Number(last >> 12n), 0, 6);
    bytes.writeUInt16BE(0x70_00 | Number(last & 0xf_ffn), 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text that came from outside can be an id at all. */
export function isExecutionId(text: string): boolean {
  return UUID.test(text);
}

/** The smallest id of a moment, for ranges. */
export function firstIdAt(epochMs: number): string {
  const hex = Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}
