/** Loaded with --import: a machine whose clock is wrong by MILLRACE_TEST_SKEW_MS. Timers and the monotonic clock are right, as they are there. */
const skewMs = Number(process.env['MILLRACE_TEST_SKEW_MS'] ?? 0);
const { now } = Date;
globalThis.Date = new Proxy(Date, {
  construct: (target, values: unknown[]) => Reflect.construct(target, values.length === 0 ? [now() + skewMs] : values) as object,
  get: (target, name, receiver) => (name === 'now' ? () => now() + skewMs : Reflect.get(target, name, receiver) as unknown),
});
