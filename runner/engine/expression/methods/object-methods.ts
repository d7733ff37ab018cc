type Fields = Readonly<Record<string, unknown>>;

const isEmptyValue = (value: unknown): boolean => value === null || value === undefined || value === '';
const pick = (self: Fields, keep: (value: unknown, key: string) => boolean): Fields => Object.fromEntries(Object.entries(self).filter(([key, value]) => keep(value, key)));
const contains = (value: unknown, text: unknown): boolean => typeof value === 'string' && value.includes(String(text));

/** Data-transformation methods of objects. They never change the object. */
export const objectMethods = {
  compact: (self: Fields) => pick(self, (value) => !isEmptyValue(value)),
  hasField: (self: Fields, name: unknown) => Object.hasOwn(self, String(name)),
  isEmpty: (self: Fields) => Object.keys(self).length === 0,
  isNotEmpty: (self: Fields) => Object.keys(self).length > 0,
  keepFieldsContaining: (self: Fields, text: unknown) => pick(self, (value) => contains(value, text)),
  keys: (self: Fields) => Object.keys(self),
  removeField: (self: Fields, name: unknown) => pick(self, (_, key) => key !== String(name)),
  removeFieldsContaining: (self: Fields, text: unknown) => pick(self, (value) => !contains(value, text)),
  toJsonString: (self: Fields) => JSON.stringify(self),
  urlEncode: (self: Fields) => new URLSearchParams(Object.entries(self).map(([key, value]): [string, string] => [key, String(value)])).toString(),
  values: (self: Fields) => Object.values(self),
};
