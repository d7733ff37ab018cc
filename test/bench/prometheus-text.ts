/** One line of what a /metrics endpoint gives. */
export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** The samples of a metric. */
export function samplesOf(text: string, metric: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(metric)) continue;
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name !== metric) continue;
    samples.push({ labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', label = '']) => [key, label])), value: Number(value) });
  }
  return samples;
}

/** Sum of the samples of a metric whose labels `wanted` accepts. */
export function sumOf(text: string, metric: string, wanted: (labels: Sample['labels']) => boolean): number {
  return samplesOf(text, metric).reduce((sum, { labels, value }) => (wanted(labels) ? sum + value : sum), 0);
}
