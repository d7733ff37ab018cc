import { deflateSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { PdfReader } from './pdf-reader.ts';
import { pdf } from './testing/pdf-file.ts';

const options = { password: '' };

test('reads the text by page, and the properties', async () => {
  expect(await new PdfReader().read(pdf('Hello PDF'), options)).toMatchObject({ pageCount: 1, pages: ['Hello PDF'], info: { PDFFormatVersion: '1.4' } });
});

test('what is no PDF has a reason', async () => {
  await expect(new PdfReader().read(Buffer.from('no pdf'), options)).rejects.toMatchObject({ code: 'InvalidFile' });
});

test('one that hangs and one that eats memory end with a reason, and the next is read', async () => {
  const bomb = pdf('bomb', { content: deflateSync(Buffer.alloc(400 * 2 ** 20, ' (x) Tj')), filter: '/FlateDecode' });
  await expect(new PdfReader({ memoryBytes: 160 * 2 ** 20, ms: 60_000 }).read(bomb, options)).rejects.toMatchObject({ code: 'PdfLimitExceeded', message: expect.stringContaining('memory') });
  const hurried = new PdfReader({ ms: 1 });
  await expect(hurried.read(bomb, options)).rejects.toMatchObject({ code: 'PdfLimitExceeded', message: expect.stringContaining('longer than') });
  await expect(new PdfReader({ answerBytes: 10 }).read(pdf('long'), options)).rejects.toMatchObject({ code: 'PdfLimitExceeded', message: expect.stringContaining('of text') });
  const reader = new PdfReader({ ms: 5000 });
  const [bad, good] = await Promise.allSettled([reader.read(Buffer.from('bad'), options), reader.read(pdf('good'), options)]);
  expect([bad.status, good]).toMatchObject(['rejected', { status: 'fulfilled', value: { pages: ['good'] } }]);
}, 120_000);

/** The same mutations on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

test('broken PDFs are text or a reason', async () => {
  const whole = pdf('The quick brown fox');
  const next = random(7);
  const reader = new PdfReader({ concurrency: 2 });
  const broken = Array.from({ length: 24 }, (_, n) => {
    const bytes = Buffer.from(n % 4 === 0 ? whole.subarray(0, Math.floor(next() * whole.length)) : whole);
    for (let hit = 0; hit <= n && bytes.length > 0; hit += 1) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
    return bytes;
  });
  const ends = await Promise.allSettled(broken.map((bytes) => reader.read(bytes, options)));
  const codes = ends.map((end) => (end.status === 'fulfilled' ? 'text' : (end.reason as { code: string }).code));
  expect(codes.filter((code) => !['text', 'InvalidFile', 'PdfLimitExceeded'].includes(code))).toEqual([]);
}, 120_000);
