/** One CEL rule as `x-kubernetes-validations` takes it. */
export interface CelRule {
  rule: string;
  message: string;
  /** Relative to where the rule stands, such as `.callers`. */
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
}

/** Metadata that puts CEL rules on a schema: `z.strictObject({ … }).meta(cel({ rule, message }))`. */
export function cel(...rules: CelRule[]): { 'x-kubernetes-validations': CelRule[] } {
  return { 'x-kubernetes-validations': rules };
}
