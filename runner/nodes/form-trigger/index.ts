import type { NodeType } from '../../engine/node-type.ts';
import { startItems } from '../triggers/start-items.ts';

/** Starts a workflow by a form that people fill in; the page is served, and what they send is checked, outside the engine. */
export const formTriggerNode: NodeType = {
  type: 'formTrigger', displayName: 'Form Trigger', group: 'trigger', versions: [1, 2, 2.1, 2.2, 2.3], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow when a form is sent. The item holds a field per form field by its label, `submittedAt` and `formMode`; files are binary properties.',
  parameters: [
    { name: 'path', type: 'string', description: 'The path behind /form/. Default: `options.path`, or the id of an imported form.' },
    { name: 'authentication', type: 'options', options: ['none', 'basicAuth'], default: 'none', description: 'What people have to present; checked against a credential of the node.' },
    { name: 'formTitle', type: 'string', description: 'Heading of the page.' },
    { name: 'formDescription', type: 'string', description: 'Text below the heading.' },
    { name: 'formFields', type: 'collection', description: '`values`: [{fieldLabel, fieldType, requiredField, placeholder, defaultValue, fieldOptions.values, multiselect, acceptFileTypes, multipleFiles, fieldName, fieldValue, html}]. Types: text, textarea, email, number, password, date, dropdown, checkbox, radio, file, hiddenField, html.' },
    { name: 'responseMode', type: 'options', options: ['onReceived', 'lastNode', 'responseNode'], default: 'onReceived', description: 'Thank at once, when the workflow has ended, or show what a Respond to Webhook node says.' },
    { name: 'options', type: 'collection', default: {}, description: '`path`, `buttonLabel`, `respondWithOptions.values` (respondWith text or redirect, formSubmittedText, redirectUrl), `ignoreBots`, `ipWhitelist`.' },
  ],
  execute: (context) => [startItems(context)],
};
