import { Counter, Histogram, type Registry } from 'prom-client';

/** What a scheduler counts. */
export function scheduleMetrics(registry: Registry) {
  return {
    ticks: new Counter({ name: 'millrace_schedule_ticks_total', help: 'Ticks of schedules, by whether they were fired or missed.', labelNames: ['outcome'], registers: [registry] }),
    lag: new Histogram({ name: 'millrace_schedule_lag_seconds', help: 'Time from when a tick was due until it was queued.', buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 600], registers: [registry] }),
  };
}
