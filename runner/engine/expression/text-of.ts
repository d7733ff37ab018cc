/** The text of any value. For values from sandboxed code this may run their own toString, and throw. */
export function textOf(value: unknown): string {
  return String(value);
}
