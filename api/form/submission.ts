import type { BinaryReference, Item } from '../../runner/engine/item.ts';
import type { Form, FormField } from './form.ts';
import { fieldName } from './form-page.ts';
import type { Entered, FieldErrors } from './form-page.ts';

/** A form as it was sent: texts by field, files by field. */
export interface Sent {
  body: unknown;
  files: Record<string, BinaryReference>;
}

export interface Submission {
  entered: Entered;
  errors: FieldErrors;
  /** What the workflow gets; without meaning when there are errors. */
  item: Item;
}

const maxText = 1_000_000;
const emailPattern = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/;

/** Checks what was sent against the form; nothing that the browser may have checked is believed. */
export function checkSubmission(form: Form, sent: Sent, about: { submittedAt: string; formMode: 'production' | 'test'; query: Record<string, unknown> }): Submission {
  const entered = new Map<number, string[]>();
  const errors = new Map<number, string>();
  const json = new Map<string, unknown>();
  const binary = new Map<string, BinaryReference>();
  for (const [index, field] of form.fields.entries()) {
    if (field.type === 'html') continue;
    const checked = field.type === 'file' ? checkFiles(field, filesOf(sent, index)) : checkTexts(field, textsOf(sent, index));
    if ('error' in checked) errors.set(index, checked.error);
    else json.set(field.label, checked.value);
    if (field.type === 'file') filesOf(sent, index).forEach((file, number) => binary.set(propertyOf(field, number), file));
    else entered.set(index, textsOf(sent, index));
  }
  const query = Object.keys(about.query).length === 0 ? {} : { formQueryParameters: about.query };
  const item = {
    json: { ...Object.fromEntries(json), submittedAt: about.submittedAt, formMode: about.formMode, ...query },
    ...(binary.size > 0 && { binary: Object.fromEntries(binary) }),
    pairedItem: { item: 0 },
  };
  return { entered, errors, item };
}

/** What a page shows before anything is entered: query parameters by label, else the defaults of the form. */
export function firstValues({ fields }: Form, query: Record<string, unknown>): Entered {
  return new Map(fields.map((field, index) => {
    const given = Object.hasOwn(query, field.label) ? query[field.label] : undefined;
    const values = (Array.isArray(given) ? given : [given]).filter((value) => typeof value === 'string');
    return [index, values.length > 0 ? values : field.value === '' ? [] : field.multiple ? field.value.split(',').map((value) => value.trim()) : [field.value]];
  }));
}

type Checked = { value: unknown } | { error: string };

function checkTexts(field: FormField, texts: readonly string[]): Checked {
  const values = texts.filter((text) => text.trim() !== '');
  if (field.required && values.length === 0) return { error: 'This field is required.' };
  if (values.some((value) => value.length > maxText)) return { error: 'This is too long.' };
  if (field.options.length > 0 && values.some((value) => !field.options.includes(value))) return { error: 'Choose one of the options.' };
  if (field.multiple) return { value: values };
  const [value = ''] = values;
  if (values.length > 1) return { error: 'Give one answer.' };
  return checkOne(field, value);
}

function checkOne({ type }: FormField, value: string): Checked {
  if (value === '') return { value: type === 'number' ? null : '' };
  if (type === 'number') return Number.isFinite(Number(value)) ? { value: Number(value) } : { error: 'Enter a number.' };
  if (type === 'email' && !emailPattern.test(value)) return { error: 'Enter an e-mail address, such as name@example.com.' };
  if (type === 'date' && !isDate(value)) return { error: 'Enter a date as year-month-day, such as 2026-01-31.' };
  return { value };
}

function isDate(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) && new Date(value).toISOString().startsWith(value);
}

function checkFiles(field: FormField, files: readonly BinaryReference[]): Checked {
  if (field.required && files.length === 0) return { error: 'Choose a file.' };
  if (!field.multiple && files.length > 1) return { error: 'Choose one file.' };
  const refused = files.find((file) => !isAccepted(field.accept, file));
  if (refused) return { error: `${refused.fileName ?? 'The file'} is not of a type that is taken here (${field.accept.join(', ')}).` };
  const about = files.map(({ fileName = '', mimeType, size }) => ({ filename: fileName, mimetype: mimeType, size }));
  return { value: field.multiple ? about : (about[0] ?? null) };
}

function isAccepted(accept: readonly string[], { fileName = '', mimeType }: BinaryReference): boolean {
  if (accept.length === 0) return true;
  return accept.some((entry) => (entry.startsWith('.') ? fileName.toLowerCase().endsWith(entry) : entry === mimeType || (entry.endsWith('/*') && mimeType.startsWith(entry.slice(0, -1)))));
}

function textsOf({ body }: Sent, index: number): string[] {
  const given = typeof body === 'object' && body !== null && Object.hasOwn(body, fieldName(index)) ? (body as Record<string, unknown>)[fieldName(index)] : undefined;
  return (Array.isArray(given) ? given : [given]).filter((value) => typeof value === 'string');
}

function filesOf({ files }: Sent, index: number): BinaryReference[] {
  return Object.entries(files).filter(([property]) => property.startsWith(fieldName(index))).map(([, file]) => file);
}

/** n8n's name of a file: the label with everything but letters, digits and _ replaced, and a number when there may be several. */
function propertyOf({ label, multiple }: FormField, number: number): string {
  const name = label.replaceAll(/\W/g, '_');
  return multiple ? `${name}_${number}` : name;
}
