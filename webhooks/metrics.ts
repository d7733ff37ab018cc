import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface AdmissionMetrics {
  judged(path: string, allowed: boolean, seconds: number): void;
  /** A request that got no verdict: it could not be read, or judging it failed. */
  failed(): void;
  /** Milliseconds since the epoch. */
  certificateExpires(at: number): void;
}

/** What the admission webhooks measure. Paths are the few that are served. */
export function admissionMetrics(registry: Registry): AdmissionMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'millrace_admission_duration_seconds', help: 'Time to judge one object.', labelNames: ['path', 'allowed'], buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2], registers,
  });
  const failures = new Counter({ name: 'millrace_admission_failures_total', help: 'Admission requests that got no verdict: unreadable, or judging them failed.', registers });
  const expiry = new Gauge({
    name: 'millrace_admission_certificate_expiry_timestamp_seconds', help: 'When the certificate that is served ends; 0: there is none yet.', registers,
  });
  return {
    judged: (path, allowed, duration) => seconds.observe({ path, allowed: String(allowed) }, duration),
    failed: () => failures.inc(),
    certificateExpires: (at) => expiry.set(at / 1000),
  };
}
