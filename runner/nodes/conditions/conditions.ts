import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { prepareValue, type ValueOf } from '../parameter-value.ts';
import { conditionType, conditionValue, type ConditionType } from './condition-value.ts';
import { isOneSided, operatorFor, type Operator } from './operators.ts';

/** Judges one item. Throws WorkflowError ConditionType or InvalidPattern. */
export type Predicate = (itemIndex: number) => boolean;

export interface ConditionOptions {
  /** Node options that win over what the conditions themselves say when they are on. */
  loose: boolean;
  ignoreCase: boolean;
}

interface Compiled {
  left: ValueOf;
  right: ValueOf | undefined;
  operator: Operator;
  leftType: ConditionType;
  rightType: ConditionType;
}

/**
 * Prepares n8n's conditions object `{options, conditions: [{leftValue, rightValue, operator}], combinator}` once; per item only
 * its expressions are evaluated. No conditions at all are true for every item.
 */
export function compileConditions(context: NodeContext, raw: unknown, options: ConditionOptions): Predicate {
  const conditions = asObject(raw);
  const written = asObject(conditions.options);
  const loose = options.loose || written.typeValidation === 'loose';
  const caseSensitive = !options.ignoreCase && written.caseSensitive !== false;
  const tests = asObjects(conditions.conditions).map((condition, position) => compileOne(context, condition, { position, loose, caseSensitive }));
  if (tests.length === 0) return () => true;
  if (conditions.combinator === 'or') return (itemIndex) => tests.some((test) => test(itemIndex));
  return (itemIndex) => tests.every((test) => test(itemIndex));
}

interface Mode { position: number; loose: boolean; caseSensitive: boolean }

function compileOne(context: NodeContext, raw: JsonObject, mode: Mode): Predicate {
  const { left, right, operator, leftType, rightType } = compileSides(context, raw);
  return (itemIndex) => {
    const leftValue = left(itemIndex);
    const rightValue = right?.(itemIndex);
    try {
      const checked = conditionValue(leftValue, leftType, mode.loose);
      return operator(checked, right && conditionValue(rightValue, rightType, mode.loose), mode.caseSensitive);
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      throw new WorkflowError(error.code, error.message, { itemIndex, parameter: `conditions.conditions[${mode.position}]`, cause: error });
    }
  };
}

function compileSides(context: NodeContext, raw: JsonObject): Compiled {
  const written = asObject(raw.operator);
  const type = asText(written.type) || 'string';
  const operation = asText(written.operation) || 'equals';
  const oneSided = isOneSided(operation);
  // Presence asks whether there is a value at all; its type does not matter.
  const presence = operation === 'exists' || operation === 'notExists';
  return {
    left: prepareValue(context, raw.leftValue),
    right: oneSided ? undefined : prepareValue(context, raw.rightValue),
    operator: operatorFor(type, operation),
    leftType: presence ? 'any' : conditionType(type),
    rightType: conditionType(asText(written.rightType) || defaultRightType(type, operation)),
  };
}

function defaultRightType(type: string, operation: string): string {
  if (operation.startsWith('length')) return 'number';
  return type === 'array' ? 'any' : type;
}

/** The node options that change how conditions are checked; where they stand depends on the node's version. */
export function conditionOptions(context: NodeContext): ConditionOptions {
  const options = asObject(context.rawParameter('options'));
  return {
    loose: context.rawParameter('looseTypeValidation') === true || options.looseTypeValidation === true,
    ignoreCase: options.ignoreCase === true,
  };
}
