/** Data-transformation methods of booleans. */
export const booleanMethods = {
  isEmpty: () => false,
  isNotEmpty: () => true,
  toBoolean: (self: boolean) => self,
  toInt: (self: boolean) => Number(self),
  toFloat: (self: boolean) => Number(self),
  toNumber: (self: boolean) => Number(self),
  toJsonString: (self: boolean) => String(self),
};
