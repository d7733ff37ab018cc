/** Whether an error of the system has this code, such as ENOENT. Not by class: jest gives tests another `Error` than Node's. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
