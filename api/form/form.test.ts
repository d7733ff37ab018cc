import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FormTrigger } from '../../store/route.ts';
import type { ExecutionDetail } from '../../store/executions.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import { completionType } from '../../runner/nodes/form/completion.ts';
import { MemoryStore, ok } from '../testdata/memory-store.ts';
import { route } from '../testdata/route.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';
import { safeHtml } from './safe-html.ts';

let server: TestServer;
let memory: MemoryStore;

const fields = [
  { fieldLabel: 'Name', requiredField: true, placeholder: 'Ada' },
  { fieldLabel: 'E-mail', fieldType: 'email' },
  { fieldLabel: 'Guests', fieldType: 'number', defaultValue: '2' },
  { fieldLabel: 'Day', fieldType: 'date' },
  { fieldLabel: 'Meal', fieldType: 'dropdown', fieldOptions: { values: [{ option: 'Fish' }, { option: 'Rice & peas' }] } },
  { fieldLabel: 'Extras', fieldType: 'checkbox', fieldOptions: { values: [{ option: 'Bread' }, { option: 'Salad' }] } },
  { fieldLabel: 'My photo', fieldType: 'file', multipleFiles: false, acceptFileTypes: '.png, image/jpeg' },
  { fieldName: 'campaign', fieldType: 'hiddenField', fieldValue: 'none' },
  { fieldType: 'html', html: '<b>Bold</b><script>alert(1)</script><a href="javascript:alert(1)" onclick="x()">link</a>' },
];
const form = (path: string, changes: JsonObject = {}, more: Partial<FormTrigger> = {}): FormTrigger =>
  ({ kind: 'Form', node: 'Form', path, pages: false, options: { formTitle: 'Party <1>', formFields: { values: fields }, ...changes }, ...more });

beforeEach(async () => {
  memory = new MemoryStore();
  memory.routeList = [
    route('party', [form('party')]),
    route('pages', [form('pages', {}, { pages: true })]),
    route('locked', [form('locked', { authentication: 'basicAuth' }, { credential: { type: 'httpBasicAuth', secret: 'guests' } })]),
    route('away', [form('away', { formFields: { values: [] }, options: { respondWithOptions: { values: { respondWith: 'redirect', redirectUrl: 'https://a.example/"x' } } } })]),
  ];
  server = await startTestServer({}, memory);
});

afterEach(() => server.stop());

const get = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${server.url}${path}`, { redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const send = (path: string, entries: [number, string | File][], init: RequestInit = {}) => {
  const body = new FormData();
  for (const [index, value] of entries) body.append(`f${index}.`, value);
  return get(path, { method: 'POST', body, ...init });
};
const png = new File(['pixels'], 'me.png', { type: 'image/png' });
const execution = (id: string, status: ExecutionDetail['status'], workflow = 'pages') => memory.detail.set(id, { id, namespace: 'shop', workflow, status } as ExecutionDetail);

test('a page needs nothing from elsewhere, runs nothing and escapes everything', async () => {
  const page = await get('/form/shop/party?Name=%22%3E%3Cscript%3E&campaign=mail');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'self'; .*sandbox (?!.*allow-scripts)/);
  expect(page.text).toContain('<h1>Party &lt;1&gt;</h1>');
  expect(page.text).toContain('value="&quot;&gt;&lt;script&gt;"');
  expect(page.text).toContain('<input type="hidden" name="f7." value="mail">');
  expect(page.text).toContain('<b>Bold</b><a>link</a>');
  expect(page.text).not.toMatch(/<script|javascript:|onclick|https?:\/\//);
  for (const [, id] of page.text.matchAll(/<label for="([^"]+)"/g)) expect(page.text).toContain(`id="${id}"`);
});

test('what was sent becomes an item with the labels as names', async () => {
  const sent = await send('/form/shop/party?campaign=x', [[0, 'Ada'], [1, 'ada@example.com'], [2, '3'], [3, '2026-01-31'], [4, 'Rice & peas'], [5, 'Bread'], [5, 'Salad'], [6, png], [7, 'x']]);
  expect([sent.status, sent.text]).toEqual([200, expect.stringContaining('Your response has been recorded')]);
  expect(memory.accepted).toMatchObject([{ workflow: 'party', mode: 'Webhook', trigger: { node: 'Form', items: [{
    json: {
      'Name': 'Ada', 'E-mail': 'ada@example.com', 'Guests': 3, 'Day': '2026-01-31', 'Meal': 'Rice & peas', 'Extras': ['Bread', 'Salad'],
      'My photo': { filename: 'me.png', mimetype: 'image/png', size: 6 }, 'campaign': 'x', 'formMode': 'production', 'submittedAt': expect.any(String), 'formQueryParameters': { campaign: 'x' },
    },
    binary: { My_photo: { fileName: 'me.png' } },
  }] } }]);
  expect(memory.accepted[0]?.id).toBeDefined();
});

test.each([
  { name: 'a required field left empty', entries: [[0, ' ']], says: 'This field is required.' },
  { name: 'what is no e-mail address', entries: [[0, 'Ada'], [1, 'ada@']], says: 'Enter an e-mail address' },
  { name: 'what is no number', entries: [[0, 'Ada'], [2, '3e']], says: 'Enter a number.' },
  { name: 'what is no day', entries: [[0, 'Ada'], [3, '2026-02-30']], says: 'Enter a date' },
  { name: 'an option that is none', entries: [[0, 'Ada'], [4, 'Meat']], says: 'Choose one of the options.' },
  { name: 'two answers for one', entries: [[0, 'Ada'], [0, 'Bob']], says: 'Give one answer.' },
  { name: 'a file of another type', entries: [[0, 'Ada'], [6, new File(['x'], 'x.exe')]], says: 'is not of a type that is taken here' },
] as { name: string; entries: [number, string | File][]; says: string }[])('refuses $name and shows the page again', async ({ entries, says }) => {
  const page = await send('/form/shop/party', [...entries, [7, 'kept']]);
  expect(page.status).toBe(422);
  expect(page.text).toContain(says);
  expect(page.text).toContain('role="alert"');
  expect(page.text).toContain('aria-invalid="true"');
  expect(page.text).toContain('value="kept"');
  expect(memory.accepted).toEqual([]);
});

test('leads through the pages to the end', async () => {
  const sent = await send('/form/shop/pages', [[0, 'Ada']]);
  expect([sent.status, sent.headers.get('location')]).toEqual([303, '/form-waiting/e0/token-e0']);
  execution('e0', 'Waiting');
  memory.answer = () => undefined;
  memory.waiting.set('e0', { namespace: 'shop', workflow: 'pages', mode: 'Webhook', node: 'Two', on: 'form', request: { parameters: { formFields: { values: [{ fieldLabel: 'More', requiredField: true }] }, options: { formTitle: 'Page two' } } } });
  expect((await get('/form-waiting/e0/token-e0')).text).toContain('<h1>Page two</h1>');
  expect((await send('/form-waiting/e0/token-e0', [])).status).toBe(422);
  expect((await send('/form-waiting/e0/token-e0', [[0, 'yes']])).headers.get('location')).toBe('/form-waiting/e0/token-e0');
  expect(memory.resumed).toMatchObject([{ executionId: 'e0', node: 'Two', items: [{ json: { More: 'yes', formMode: 'production' } }] }]);
  execution('e0', 'Succeeded');
  memory.answer = () => ({ response: { ...ok, headers: { 'content-type': completionType }, body: '{"title":"Done <3","message":"Bye"}' } });
  expect((await get('/form-waiting/e0/token-e0')).text).toContain('<h1>Done &lt;3</h1><p class="text" role="status">Bye</p>');
});

test.each([
  { name: 'another address', status: 'Succeeded' as const, reply: { response: { ...ok, status: 303, headers: { location: 'https://b.example/' } } }, says: 'content="0; url=https://b.example/"' },
  { name: 'a script as address', status: 'Succeeded' as const, reply: { response: { ...ok, status: 303, headers: { location: 'javascript:alert(1)' } } }, says: '<h1>Thank you</h1>' },
  { name: 'no answer of its own', status: 'Succeeded' as const, reply: { response: ok }, says: 'Your response has been recorded' },
  { name: 'a failure', status: 'Failed' as const, reply: {}, says: 'There was a problem' },
])('ends with $name', async ({ status, reply, says }) => {
  await send('/form/shop/pages', [[0, 'Ada']]);
  execution('e0', status);
  memory.answer = () => reply;
  expect((await get('/form-waiting/e0/token-e0')).text).toContain(says);
});

test('ends also when the execution is not kept', async () => {
  await send('/form/shop/pages', [[0, 'Ada']]);
  memory.answer = () => ({ response: { ...ok, headers: { 'content-type': completionType }, body: '{"title":"Done","message":""}' } });
  expect((await get('/form-waiting/e0/token-e0')).text).toContain('<h1>Done</h1>');
});

test('waits for a workflow that takes its time', async () => {
  await send('/form/shop/pages', [[0, 'Ada']]);
  execution('e0', 'Running');
  memory.answer = () => undefined;
  const page = await get('/form-waiting/e0/token-e0');
  expect(page.text).toContain('<meta http-equiv="refresh" content="2">');
}, 20_000);

test('leads elsewhere when the form says so', async () => {
  expect((await send('/form/shop/away', [])).text).toContain('content="0; url=https://a.example/%22x"');
});

test('asks for user and password', async () => {
  server.cluster.addCredential('guests', 'httpBasicAuth', { user: 'ada', password: 'x' });
  expect((await get('/form/shop/locked')).headers.get('www-authenticate')).toContain('Basic');
  expect((await get('/form/shop/locked', { headers: { authorization: `Basic ${btoa('ada:x')}` } })).status).toBe(200);
});

test('a test of a form takes one', async () => {
  memory.open.set('l', { id: 'l', namespace: 'shop', workflow: 'draft', revision: 'r7', triggers: [form('draft')] });
  expect((await get('/form-test/shop/draft')).status).toBe(200);
  expect((await send('/form-test/shop/draft', [[0, 'Ada']])).status).toBe(200);
  expect(memory.accepted).toMatchObject([{ mode: 'Manual', revision: 'r7', trigger: { items: [{ json: { formMode: 'test' } }] } }]);
  expect((await get('/form-test/shop/draft')).status).toBe(404);
});

test.each([
  { path: '/form/shop/nothing', init: {}, status: 404, code: 'FormNotFound' },
  { path: '/form/bank/party', init: {}, status: 404, code: 'FormNotFound' },
  { path: '/form/shop/party', init: { method: 'DELETE' }, status: 405, code: 'MethodNotAllowed' },
  { path: '/form-waiting/e0/token-e1', init: {}, status: 404, code: 'WaitNotFound' },
  { path: '/form-waiting/e9/token-e9', init: {}, status: 404, code: 'ExecutionNotFound' },
])('$path gives $code', async ({ path, init, status, code }) => {
  const answer = await get(path, init);
  expect([answer.status, (JSON.parse(answer.text) as { error: { code: string } }).error.code]).toEqual([status, code]);
});

test.each([
  ['<p>a<br>b</p>', '<p>a<br>b</p>'],
  ['<img src=x onerror=y>a', 'a'],
  ['<a href="https://a.example/?q=1&r=2" style="x">a</a>', '<a href="https://a.example/?q=1&amp;r=2" rel="noopener noreferrer" target="_blank">a</a>'],
  ['<svg><script>x</script></svg><math></math>b', 'b'],
  ['&lt;script&gt;', '&lt;script&gt;'],
  ['<form action=x><input><button>c</button></form>', 'c'],
  [`${'<div>'.repeat(200)}deep`, '<div>'.repeat(51) + '</div>'.repeat(51)],
])('%s is shown as %s', (source, want) => {
  expect(safeHtml(source).source).toBe(want);
});
