import type { ExecutionView } from '../engine/execution-view.ts';
import type { BinaryStore } from '../engine/host.ts';
import type { JsonObject } from '../engine/item.ts';

/**
 * Where untrusted JavaScript runs. One instance per executor process; it keeps no data of one execution that another
 * could reach. Endless loops and memory are bounded from outside, by the supervisor.
 */
export interface Sandbox {
  /**
   * Resolves one parameter template. `template` is the text after the leading `=`: a single `{{ … }}` keeps the value's type,
   * anything else is text. Compiled once, cached. `roots` adds names such as `$response`.
   * Throws WorkflowError ExpressionSyntax, ExpressionFailed or the code of what the expression asked for in vain, such as
   * NodeNotFound or PairedItemAmbiguous; other errors inside the expression give undefined, as in n8n.
   */
  evaluate(template: string, view: ExecutionView, itemIndex: number, roots?: JsonObject): unknown;
  /** Checks syntax only. The message with position, or undefined when fine. */
  check(template: string): string | undefined;
  /**
   * Runs a Code node; resolves to a plain copy of what the source returned (`each`: for the one item `itemIndex`), not yet made
   * into items. Rejects with WorkflowError CodeSyntax, CodeFailed or the code of what the source asked for in vain.
   */
  runCode(request: CodeRequest, view: ExecutionView): Promise<unknown>;
}

export interface CodeRequest {
  language: 'javaScript' | 'python';
  source: string;
  mode: 'all' | 'each';
  itemIndex: number;
  /** For the helpers that read and make files; without it they fail with BinaryUnavailable. */
  binaries?: BinaryStore;
  /** Ends the wait for the source: rejects with the signal's reason. A busy loop is ended from outside only. */
  signal?: AbortSignal;
  /** Receives console output. */
  onConsole(level: 'log' | 'info' | 'warn' | 'error', text: string): void;
}
