/** The condition under which a row of the queue with a gate holds one of its slots. */
export const HOLDS_SLOT = "gate IS NOT NULL AND state <> 'Blocked' AND NOT (state = 'Delayed' AND fence = 0)";

/**
 * An expression that gives back the slots of the rows in `source`, which the statement takes out of the queue, and passes them on. Its value
 * is the pools that got work. Without gated rows nothing is called.
 */
export function passOn(source: string): string {
  return `(SELECT millrace.pass_gates((SELECT array_agg(gate) FROM ${source} WHERE ${HOLDS_SLOT}), '{}'))`;
}

/** As `passOn` for executions that came to their gates by themselves: their time has come. */
export function lookAfter(source: string): string {
  return `(SELECT millrace.pass_gates('{}', (SELECT array_agg(gate) FROM ${source} WHERE gate IS NOT NULL)))`;
}
