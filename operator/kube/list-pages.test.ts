import { expect, test } from '@jest/globals';
import { nextPageIn, readList } from './list-pages.ts';
import type { ListPage } from './list-pages.ts';

const sorted = (items: unknown[], metadata: object): string => `${JSON.stringify({ apiVersion: 'example.dev/v1', items, kind: 'ThingList', metadata })}\n`;
const typed = (items: unknown[], metadata: object): string => `${JSON.stringify({ kind: 'ThingList', apiVersion: 'v1', metadata, items })}\n`;
const other = (items: unknown[], metadata: object): string => JSON.stringify({ remark: { of: 'a proxy' }, metadata, items, more: { metadata: 1 } });
/** Objects that look like the end or the start of a list. */
const confusing = [{ metadata: { name: 'a', continue: 'wrong' }, data: { a: '"metadata":{"continue":"wrong"}}', b: '{"metadata":{"continue":"wrong"},"items":[' } }, { metadata: { continue: 'wrong' } }];

test.each([
  { name: 'a custom resource', text: sorted(confusing, { continue: 'eyJ2+/-_=', remainingItemCount: 2, resourceVersion: '7' }), want: 'eyJ2+/-_=' },
  { name: 'a kind of Kubernetes', text: typed(confusing, { resourceVersion: '7', continue: 'eyJ2+/-_=' }), want: 'eyJ2+/-_=' },
  { name: 'the last page of a custom resource', text: sorted(confusing, { continue: '', resourceVersion: '7' }), want: undefined },
  { name: 'the last page of a kind of Kubernetes', text: typed(confusing, { resourceVersion: '7' }), want: undefined },
  { name: 'a list in another form', text: other(confusing, { continue: 'more' }), want: undefined },
  { name: 'a token with escapes', text: sorted([], { continue: 'a"b' }), want: undefined },
  { name: 'half a list', text: sorted(confusing, { continue: 'more' }).slice(0, -9), want: undefined },
  { name: 'no list', text: '404 page not found', want: undefined },
])('the token of the next page in the text of $name', ({ text, want }) => {
  expect(nextPageIn(text)).toBe(want);
});

/** Reads the pages of a server that answers with these texts, by token. `log` has what was asked for and kept, in order. */
async function reading(texts: Readonly<Record<string, string>>): Promise<{ version: string | Error; log: string[] }> {
  const log: string[] = [];
  const version = await readList<{ name: string }>(async (token = '-', onText) => {
    log.push(`ask ${token}`);
    await new Promise((resolve) => { setImmediate(resolve); });
    const text = texts[token] ?? '';
    onText(text);
    return JSON.parse(text) as ListPage<{ name: string }>;
  }, (items) => log.push(`keep ${items.map(({ name }) => name).join()}`)).catch((error: unknown) => error as Error);
  return { version, log };
}

test('a page is asked for while the one before it is parsed, each once', async () => {
  for (const form of [sorted, typed]) {
    const { version, log } = await reading({
      '-': form([{ name: 'a' }, { name: 'b' }], { resourceVersion: '7', continue: 'two' }), two: form([{ name: 'c' }], { resourceVersion: '7', continue: 'three' }), three: form([], { resourceVersion: '7' }),
    });
    expect(version).toBe('7');
    expect(log).toEqual(['ask -', 'ask two', 'keep a,b', 'ask three', 'keep c', 'keep ']);
  }
});

test('a list in another form is read all the same', async () => {
  const { version, log } = await reading({ '-': other([{ name: 'a' }], { resourceVersion: '7', continue: 'two' }), two: '{"items":null,"metadata":{"resourceVersion":"7"}}' });
  expect(version).toBe('7');
  expect(log).toEqual(['ask -', 'keep a', 'ask two', 'keep ']);
});

test('what follows a broken page is not looked at, however that ends', async () => {
  const broken = sorted([{ name: 'a' }], { resourceVersion: '7', continue: 'two' }).replace('"a"', '"a');
  const { version, log } = await reading({ '-': broken, two: 'not JSON either' });
  expect(version).toMatchObject({ name: 'SyntaxError' });
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  expect(log).toEqual(['ask -', 'ask two']);
});
