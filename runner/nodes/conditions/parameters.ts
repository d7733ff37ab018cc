import type { ParameterDescription } from '../../engine/node-type.ts';

/** Parameters that If, Filter and Switch share. */
export const conditionsParameter: ParameterDescription = {
  name: 'conditions', type: 'conditions',
  description: 'What an item has to meet: `{combinator: "and" | "or", conditions: [{leftValue, rightValue, operator: {type, operation}}], '
    + 'options: {caseSensitive, typeValidation: "strict" | "loose"}}`. Types are string, number, dateTime, boolean, array and object.',
};

export const looseParameter: ParameterDescription = {
  name: 'looseTypeValidation', type: 'boolean', default: false,
  description: 'Convert values to the type of the operator instead of failing when the types differ.',
};

export const ignoreCaseOption = '`ignoreCase`: compare text without regard to case.';
