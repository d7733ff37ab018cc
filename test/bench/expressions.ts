import { createSandbox } from '../../runner/sandbox/create-sandbox.ts';
import { fakeView } from '../../runner/sandbox/testing/fake-view.ts';
import { median, type Benchmark, type Figure } from './benchmark.ts';

const MEASURE_MS = 500;
const BATCH = 2000;
const ITEMS = 10_000;

/** Evaluates through Sandbox.evaluate, with what an execution has around it; more than one template to keep the cache honest. */
const EXPRESSIONS: readonly { name: string; template: string; atLeast?: number }[] = [
  { name: '{{ $json.a.b }}', template: '{{ $json.a.b }}', atLeast: 2_000_000 },
  { name: 'text with two values', template: 'Dear {{ $json.name }}, {{ $json.a.b }}' },
  { name: 'a data method', template: '{{ $json.name.toTitleCase() }}' },
  { name: 'filter and map', template: '{{ $json.l.filter((v) => v > 1).map((v) => v * 2) }}' },
  { name: 'another node', template: "{{ $('In').first().json.a.b }}" },
  { name: 'writing to a copy', template: '{{ $json.l.sort() }}' },
];

function perSecond(run: () => void): number {
  let done = 0;
  const start = performance.now();
  while (performance.now() - start < MEASURE_MS) {
    for (let index = 0; index < BATCH; index += 1) run();
    done += BATCH;
  }
  return (done * 1000) / (performance.now() - start);
}

/** Single thread, in this process: the sandbox lives in the process of the engine. */
export const expressions: Benchmark = {
  name: 'expressions',
  about: 'Expressions and code in the sandbox',
  async run({ runs, progress }) {
    const sandbox = createSandbox();
    const view = fakeView({ items: [{ json: { a: { b: 7 }, name: 'grace hopper', l: [3, 1, 2] } }] });
    const figures: Figure[] = EXPRESSIONS.map(({ name, template, atLeast }) => {
      progress(name);
      perSecond(() => sandbox.evaluate(template, view, 0));
      const value = median(Array.from({ length: runs }, () => perSecond(() => sandbox.evaluate(template, view, 0))));
      return { name, value, unit: '/s', ...(atLeast === undefined ? {} : { target: { atLeast } }) };
    });
    progress('compiling');
    let count = 0;
    figures.push({ name: 'compiling', value: median(Array.from({ length: runs }, () => perSecond(() => sandbox.evaluate(`{{ $json.a.b + ${(count += 1)} }}`, view, 0)))), unit: '/s' });
    progress('code');
    const many = fakeView({ items: Array.from({ length: ITEMS }, (_, v) => ({ json: { v } })) });
    const source = 'return $input.all().map((item) => ({ json: { v: item.json.v * 2 } }))';
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const start = performance.now();
      await sandbox.runCode({ language: 'javaScript', source, mode: 'all', itemIndex: 0, onConsole: () => undefined }, many);
      times.push(performance.now() - start);
    }
    figures.push({ name: `code over ${ITEMS} items`, value: median(times), unit: 'ms' });
    return figures;
  },
};
