/** Sum of the samples of a metric whose labels `wanted` accepts, from the text that a /metrics endpoint gives. */
export function sumOf(text: string, metric: string, wanted: (labels: Readonly<Record<string, string>>) => boolean): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(metric)) continue;
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === metric && wanted(Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text_ = '']) => [key, text_])))) sum += Number(value);
  }
  return sum;
}
