const UNITS: Readonly<Record<string, number>> = {
  '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40,
};

/** Bytes of a memory quantity such as 512Mi; undefined for the exotic forms (exponents, milli-bytes), which are then not judged. */
export function memoryBytes(quantity: string | number): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit ?? ''];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}
