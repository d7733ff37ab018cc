import { inspect } from '../operator/controllers/workflow/inspect.ts';
import { nodeTypes } from '../runner/nodes/registry.ts';
import { CliError } from './cli-error.ts';
import { loadWorkflows } from './load-workflow.ts';
import type { LoadedWorkflow } from './load-workflow.ts';
import { structured } from './output.ts';
import type { OutputFormat } from './output.ts';
import { oneLine } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Something that `validate` says about a file. */
interface Finding {
  source: string;
  severity: 'error' | 'warning';
  code: string;
  node?: string;
  parameter?: string;
  message: string;
}

export interface ValidateFlags {
  strict?: boolean;
  output?: OutputFormat;
}

/** Checks files with the operator's own rules. Throws CliError ValidationFailed when an active workflow would be refused. */
export async function validateFiles(files: readonly string[], { strict = false, output }: ValidateFlags, terminal: Terminal): Promise<void> {
  const findings: Finding[] = [];
  for (const file of files) findings.push(...(await findingsOf(file, terminal)));
  terminal.out(structured(findings, output) ?? findings.map(findingLine).join(''));
  const refused = findings.filter(({ severity }) => strict || severity === 'error').length;
  if (refused > 0) throw CliError.of('ValidationFailed', `${refused} ${refused === 1 ? 'problem' : 'problems'} to put right.`);
  terminal.err(`${files.length === 1 ? 'The file is' : `All ${files.length} files are`} valid.\n`);
}

/** A file that cannot be read as a workflow is a finding as well, so that the others are still looked at. */
async function findingsOf(file: string, terminal: Terminal): Promise<Finding[]> {
  try {
    return (await loadWorkflows(file, terminal)).flatMap(inspected);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ source: file, severity: 'error', code: error.code, message: error.message }];
  }
}

function inspected({ source, definition, spec, report }: LoadedWorkflow): Finding[] {
  const { blocking, warnings } = inspect({ spec: spec() }, definition, nodeTypes);
  return [
    ...report.flatMap(({ node, type, verdict, reason = '' }): Finding[] => (verdict === 'supported' || verdict === 'translated'
      ? [] : [{ source, severity: verdict === 'refused' ? 'error' : 'warning', code: verdict === 'refused' ? 'NodeRefused' : 'NodeStubbed', node, message: `${type}: ${reason}` }])),
    ...blocking.map((problem): Finding => ({ source, ...problem, severity: 'error' })),
    ...warnings.map((problem): Finding => ({ source, ...problem, severity: 'warning' })),
  ];
}

function findingLine({ source, severity, code, node, parameter, message }: Finding): string {
  const where = [node, parameter].filter((part) => part !== undefined).join(': ');
  // A schema error has a line per field.
  const text = message.split('\n').map(oneLine).join('\n  ');
  return `${source}: ${severity}: ${code}: ${where === '' ? '' : `${oneLine(where)}: `}${text}\n`;
}
