export { ANNOTATION, importWorkflow } from './import-workflow.ts';
export type { Imported, ImportOptions } from './import-workflow.ts';
export { Verdict } from './import-report.ts';
export type { NodeReport } from './import-report.ts';
