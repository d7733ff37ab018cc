import { z } from 'zod';
import type { JsonObject } from '../../runner/engine/item.ts';

/** Kinds of fields, by n8n's names. */
export const fieldTypes = ['text', 'textarea', 'email', 'number', 'password', 'date', 'dropdown', 'checkbox', 'radio', 'file', 'hiddenField', 'html'] as const;
export type FieldType = (typeof fieldTypes)[number];

export interface FormField {
  /** What people read; also the name in the item. */
  label: string;
  type: FieldType;
  required: boolean;
  placeholder: string;
  /** Shown until something is entered; what a hidden field is worth. */
  value: string;
  options: readonly string[];
  /** Several options, or several files. */
  multiple: boolean;
  /** As in the `accept` attribute: extensions and media types. */
  accept: readonly string[];
  /** What a field of type html shows. */
  html: string;
}

/** One page of a form. */
export interface Form {
  title: string;
  description: string;
  buttonLabel: string;
  fields: readonly FormField[];
  /** What to show once it is sent: a text, or another address. */
  sent: { text: string } | { redirect: string };
}

const text = z.string().catch('').default('');
const flag = z.boolean().catch(false).default(false);
const Options = z.looseObject({
  formTitle: text, formDescription: text, buttonLabel: text, formSubmittedText: text,
  respondWithOptions: z.looseObject({ values: z.looseObject({ respondWith: text, formSubmittedText: text, redirectUrl: text }).optional() }).optional().catch(undefined),
}).catch({ formTitle: '', formDescription: '', buttonLabel: '', formSubmittedText: '' }).prefault({});
const Field = z.looseObject({
  fieldLabel: text, fieldName: text, fieldType: z.enum(fieldTypes).catch('text').default('text'), requiredField: flag, placeholder: text, defaultValue: text, fieldValue: text,
  multiselect: flag, multipleFiles: z.boolean().catch(true).default(true), acceptFileTypes: text, html: text,
  fieldOptions: z.looseObject({ values: z.array(z.looseObject({ option: text })).catch([]) }).optional().catch(undefined),
});
const Parameters = z.looseObject({
  formTitle: text, formDescription: text, options: Options,
  formFields: z.looseObject({ values: z.array(Field.catch(Field.parse({}))).catch([]).default([]) }).catch({ values: [] }).prefault({}),
});

const maxFields = 200;

/** A form as its node describes it. What does not fit is left out: a page with less on it is better than none. */
export function formOf(parameters: JsonObject): Form {
  const { formTitle, formDescription, options, formFields } = Parameters.parse(parameters);
  const { respondWith, formSubmittedText, redirectUrl } = options.respondWithOptions?.values ?? { respondWith: '', formSubmittedText: '', redirectUrl: '' };
  const redirect = respondWith === 'redirect' ? safeUrl(redirectUrl) : undefined;
  return {
    title: options.formTitle || formTitle,
    description: options.formDescription || formDescription,
    buttonLabel: options.buttonLabel || 'Submit',
    fields: formFields.values.slice(0, maxFields).map(fieldOf),
    sent: redirect === undefined ? { text: formSubmittedText || options.formSubmittedText || 'Your response has been recorded' } : { redirect },
  };
}

function fieldOf(field: z.output<typeof Field>): FormField {
  const type = field.fieldType;
  return {
    type,
    label: type === 'hiddenField' ? field.fieldName || field.fieldLabel : field.fieldLabel || field.fieldName,
    required: field.requiredField && type !== 'hiddenField' && type !== 'html',
    placeholder: field.placeholder,
    value: type === 'hiddenField' ? field.fieldValue : field.defaultValue,
    options: field.fieldOptions?.values.map(({ option }) => option) ?? [],
    multiple: type === 'checkbox' || (type === 'file' ? field.multipleFiles : type === 'dropdown' && field.multiselect),
    accept: field.acceptFileTypes.split(',').map((entry) => entry.trim().toLowerCase()).filter((entry) => /^(\.[\w.+-]+|[\w.+-]+\/[\w.+*-]+)$/.test(entry)),
    html: field.html,
  };
}

/** An http or https address, or undefined: a form may send nobody to a script. */
export function safeUrl(url: string): string | undefined {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? new URL(url).href : undefined;
}
