/** The little of ASN.1's distinguished encoding that a certificate is made of. It only writes; Node's X509Certificate reads. */

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const der = {
  sequence: (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts),
  set: (...parts: readonly Uint8Array[]) => tlv(0x31, ...parts),
  /** A non-negative integer from its big-endian bytes. */
  integer: (bytes: Uint8Array) => tlv(0x02, bytes[0] === undefined || bytes[0] >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes),
  true: tlv(0x01, Buffer.from([0xff])),
  utf8: (text: string) => tlv(0x0c, Buffer.from(text)),
  octets: (content: Uint8Array) => tlv(0x04, content),
  /** `unused`: bits at the end of the last byte that do not count. */
  bits: (content: Uint8Array, unused = 0) => tlv(0x03, Buffer.from([unused]), content),
  /** Explicitly tagged. */
  tagged: (number: number, content: Uint8Array) => tlv(0xa0 | number, content),
  /** A primitive with an implicit tag, such as the dNSName (2) of a subject alternative name. */
  implicit: (number: number, content: Uint8Array) => tlv(0x80 | number, content),
  oid(dotted: string): Buffer {
    const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
    return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
  },
  /** Milliseconds since the epoch; seconds count. */
  time(ms: number): Buffer {
    const digits = new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z').replaceAll(/[-:T]/g, '');
    return Number(digits.slice(0, 4)) < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
  },
};

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128));
  return digits;
}
