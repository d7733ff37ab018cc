/** Media type of the answer by which a workflow ends a form: JSON {title, message}. The server makes a page of it. */
export const completionType = 'application/vnd.millrace.form-completion+json';
