import type { JsonObject } from '../engine/item.ts';
import type { ExecutionView } from '../engine/execution-view.ts';

/**
 * Where untrusted JavaScript runs. One instance per executor process; it keeps no data of one execution that another
 * could reach. Endless loops and memory are bounded from outside, by the supervisor.
 */
export interface Sandbox {
  /**
   * Resolves one parameter template. `template` is the text after the leading `=`: a single `{{ … }}` keeps the value's type,
   * anything else is text. Compiled once, cached. `roots` adds names such as `$response`.
   * Throws WorkflowError ExpressionSyntax or ExpressionFailed; other errors inside the expression give undefined, as in n8n.
   */
  evaluate(template: string, view: ExecutionView, itemIndex: number, roots?: JsonObject): unknown;
  /** Checks syntax only. The message with position, or undefined when fine. */
  check(template: string): string | undefined;
  /** Runs a Code node; resolves to what the source returned (`each`: for the one item `itemIndex`), not yet made into items. */
  runCode(request: CodeRequest, view: ExecutionView): Promise<unknown>;
}

export interface CodeRequest {
  language: 'javaScript' | 'python';
  source: string;
  mode: 'all' | 'each';
  itemIndex: number;
  /** Receives console output. */
  onConsole(level: 'log' | 'info' | 'warn' | 'error', text: string): void;
}
