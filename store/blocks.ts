/** The same bytes in blocks of `size`; the last is shorter. None at all when there are no bytes. Holds one block at a time. */
export async function* inBlocks(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer, void, undefined> {
  let block = Buffer.allocUnsafe(size);
  let used = 0;
  for await (const piece of bytes) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(size - used, piece.length - at);
      block.set(piece.subarray(at, at + taken), used);
      used += taken;
      at += taken;
      if (used < size) continue;
      yield block;
      block = Buffer.allocUnsafe(size);
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
}
