import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { html } from './html.ts';
import type { Html } from './html.ts';

const style = `
:root { color-scheme: light dark; --line: #8a8f98; --accent: #0b5cad; --on-accent: #fff; --error: #b3261e; --paper: #fff; --ground: #f3f4f6; --ink: #1b1f24; }
@media (prefers-color-scheme: dark) { :root { --line: #868d98; --accent: #7ab8ff; --on-accent: #10141a; --error: #ff9d94; --paper: #1b2027; --ground: #10141a; --ink: #e8eaed; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 36rem; margin: 0 auto; padding: 2rem; background: var(--paper); border-radius: .5rem; box-shadow: 0 1px 3px #0004; overflow-wrap: anywhere; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
.text { white-space: pre-line; margin: 0 0 1.5rem; }
.field { margin: 0 0 1.25rem; border: 0; padding: 0; min-width: 0; }
.field > label, legend { display: block; padding: 0; margin: 0 0 .25rem; font-weight: 600; }
.field > .choice { display: flex; gap: .5rem; margin: 0; font-weight: normal; align-items: baseline; min-height: 1.75rem; }
input:not([type=checkbox], [type=radio]), textarea, select { width: 100%; padding: .5rem .625rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .25rem; }
textarea { min-height: 7rem; resize: vertical; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
main [aria-invalid=true]:is(input, textarea, select) { border: 2px solid var(--error); }
a { color: var(--accent); }
.error, .summary { color: var(--error); }
.error { margin: .25rem 0 0; }
.summary { margin: 0 0 1.5rem; padding: .75rem 1rem; border: 2px solid; border-radius: .25rem; }
.summary ul { margin: .25rem 0 0; padding-left: 1.25rem; }
.summary a { color: inherit; }
.hint { margin: 0 0 1rem; font-size: .875rem; }
button { padding: .625rem 1.25rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: .25rem; cursor: pointer; }
`;

const policy = [
  "default-src 'none'", `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`, "base-uri 'none'", "form-action 'self'", "frame-ancestors 'self'",
  // No script runs on these pages, whoever wrote what is on them.
  'sandbox allow-forms allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-top-navigation-by-user-activation',
].join('; ');

/** Sends a page of a form. It needs nothing but itself: no script, no font, no image from anywhere. `refresh`: seconds after which it asks again by itself, or with `; url=` goes elsewhere. */
export function sendPage(response: ServerResponse, { status, title, body, refresh }: { status: number; title: string; body: Html; refresh?: string }): void {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh !== undefined && html`<meta http-equiv="refresh" content="${refresh}">`}
<title>${title === '' ? 'Form' : title}</title>
<style>`.source + style + html`</style>
</head>
<body><main>${body}</main></body>
</html>
`.source;
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(page), 'content-security-policy': policy,
    'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff',
  });
  response.end(page);
}

/** A page that only says something. */
export function messagePage(title: string, message: string): { title: string; body: Html } {
  return { title, body: html`<h1>${title}</h1>${message !== '' && html`<p class="text" role="status">${message}</p>`}` };
}
