import type { Form, FormField } from './form.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { safeHtml } from './safe-html.ts';

/** What was entered, by the number of the field. */
export type Entered = ReadonlyMap<number, readonly string[]>;
/** What is wrong with it, by the number of the field. */
export type FieldErrors = ReadonlyMap<number, string>;

/** The name of a field in the request; the label may be anything, and twice. */
export function fieldName(index: number): string {
  return `f${index}.`;
}

/** A page of a form with what has been entered so far. It is sent to the address it came from. */
export function formBody(form: Form, { entered, errors }: { entered: Entered; errors: FieldErrors }): Html {
  const hints = form.fields.some(({ required }) => required);
  return html`${form.title !== '' && html`<h1>${form.title}</h1>`}
${form.description !== '' && html`<p class="text">${form.description}</p>`}
${errors.size > 0 && summary(form, errors)}
<form method="post" enctype="multipart/form-data" novalidate>
${hints && html`<p class="hint">Fields marked with * are required.</p>`}
${form.fields.map((field, index) => fieldBody(field, { index, values: entered.get(index) ?? [], error: errors.get(index) }))}
<button type="submit">${form.buttonLabel}</button>
</form>`;
}

function summary({ fields }: Form, errors: FieldErrors): Html {
  const files = fields.some(({ type }) => type === 'file');
  return html`<div class="summary" role="alert"><strong>Please correct ${errors.size === 1 ? 'one field' : `${errors.size} fields`}:</strong>
<ul>${[...errors].map(([index, error]) => html`<li><a href="#${idOf(index)}">${fields[index]?.label ?? ''}: ${error}</a></li>`)}</ul>
${files && html`<p>Files have to be chosen again.</p>`}</div>`;
}

interface State {
  index: number;
  values: readonly string[];
  error: string | undefined;
}

function fieldBody(field: FormField, state: State): Html {
  const { index, values } = state;
  if (field.type === 'html') return html`<div class="field">${safeHtml(field.html)}</div>`;
  if (field.type === 'hiddenField') return html`<input type="hidden" name="${fieldName(index)}" value="${values[0]}">`;
  const label = html`${field.label}${field.required && html` <span aria-hidden="true">*</span>`}`;
  const error = state.error !== undefined && html`<p class="error" id="${idOf(index)}-error">${state.error}</p>`;
  if (field.type === 'checkbox' || field.type === 'radio') {
    return html`<fieldset class="field" id="${idOf(index)}"${describedBy(state)}><legend>${label}</legend>${field.options.map((option) => choice(field, state, option))}${error}</fieldset>
`;
  }
  return html`<div class="field"><label for="${idOf(index)}">${label}</label>${control(field, state)}${error}</div>
`;
}

function choice({ type }: FormField, { index, values }: State, option: string): Html {
  return html`<label class="choice"><input type="${type}" name="${fieldName(index)}" value="${option}"${values.includes(option) && html` checked`}> ${option}</label>`;
}

function control(field: FormField, state: State): Html {
  const { index, values } = state;
  const shared = html` id="${idOf(index)}" name="${fieldName(index)}"${field.required && html` required`}${describedBy(state)}${field.multiple && html` multiple`}`;
  const placeholder = field.placeholder !== '' && html` placeholder="${field.placeholder}"`;
  if (field.type === 'textarea') return html`<textarea${shared}${placeholder}>${'\n'}${values[0]}</textarea>`;
  if (field.type === 'dropdown') {
    return html`<select${shared}>${!field.multiple && html`<option value="">Select an option …</option>`}${field.options.map((option) => html`<option value="${option}"${values.includes(option) && html` selected`}>${option}</option>`)}</select>`;
  }
  if (field.type === 'file') return html`<input type="file"${shared}${field.accept.length > 0 && html` accept="${field.accept.join(',')}"`}>`;
  // What was entered as a password is not sent back.
  const value = field.type !== 'password' && values[0] !== undefined && html` value="${values[0]}"`;
  return html`<input type="${field.type}"${shared}${placeholder}${value}${field.type === 'number' && html` step="any"`}>`;
}

function describedBy({ index, error }: State): Html | false {
  return error !== undefined && html` aria-invalid="true" aria-describedby="${idOf(index)}-error"`;
}

function idOf(index: number): string {
  return `field-${index}`;
}
