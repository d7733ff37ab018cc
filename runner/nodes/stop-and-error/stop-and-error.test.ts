import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

test.each([
  { parameters: { errorMessage: '={{ $json.why }}' }, want: { code: 'WorkflowStopped', message: 'too late' } },
  { parameters: { errorType: 'errorObject', errorObject: '{"message": "m", "description": "d"}' }, want: { code: 'WorkflowStopped', message: 'm', description: 'd' } },
  { parameters: { errorType: 'errorObject', errorObject: '{"code": 7}' }, want: { code: 'WorkflowStopped', message: '{"code":7}' } },
  { parameters: { errorType: 'errorObject', errorObject: 'x' }, want: { code: 'InvalidJson', parameter: 'errorObject' } },
])('fails with $want', async ({ parameters, want }) => {
  expect((await runNode({ type: 'stopAndError', items: [{ why: 'too late' }], parameters })).error).toMatchObject({ ...want, node: 'Node' });
});
