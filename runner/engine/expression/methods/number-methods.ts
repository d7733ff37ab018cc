import type { DateTime } from 'luxon';
import { MethodError } from './method-error.ts';

const EXCEL_EPOCH_DAYS = 25_569;
const DAY_MS = 86_400_000;

function whole(self: number, name: string): number {
  if (!Number.isInteger(self)) throw new MethodError(`${name}() is only callable on whole numbers`);
  return self;
}

function round(self: number, places: number): number {
  if (!Number.isFinite(self)) return self;
  // Shifting in decimal notation, because 1.005 * 100 is not 100.5.
  const shifted = Math.round(Number(`${self}e${places}`));
  const result = Number(`${shifted}e${-places}`);
  return Number.isNaN(result) ? Number(self.toFixed(places)) : result;
}

/** Data-transformation methods of numbers. */
export function numberMethods(Dates: typeof DateTime) {
  return {
    abs: (self: number) => Math.abs(self),
    ceil: (self: number) => Math.ceil(self),
    floor: (self: number) => Math.floor(self),
    format: (self: number, locale?: string, options?: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale ?? 'en-US', options).format(self),
    isEmpty: () => false,
    isNotEmpty: () => true,
    isEven: (self: number) => whole(self, 'isEven') % 2 === 0,
    isOdd: (self: number) => Math.abs(whole(self, 'isOdd')) % 2 === 1,
    isInteger: (self: number) => Number.isInteger(self),
    round: (self: number, places: unknown = 0) => round(self, Math.trunc(Number(places)) || 0),
    toBoolean: (self: number) => self !== 0,
    toDateTime(self: number, format: unknown = 'ms') {
      switch (format) {
        case 'ms':
          return Dates.fromMillis(self);
        case 's':
          return Dates.fromSeconds(self);
        case 'us':
          return Dates.fromMillis(self / 1000);
        case 'excel':
          return Dates.fromMillis((self - EXCEL_EPOCH_DAYS) * DAY_MS);
        default:
          throw new MethodError(`toDateTime() does not know the format '${String(format)}'. Use 'ms', 's', 'us' or 'excel'.`);
      }
    },
    toFloat: (self: number) => self,
    toInt: (self: number) => Math.trunc(self),
    toJsonString: (self: number) => JSON.stringify(self),
    toNumber: (self: number) => self,
  };
}
