import type { AnyNode, CallExpression } from 'acorn';
import { avoidRefusedText } from './evaluator-text.ts';
import { findForbidden } from './forbidden.ts';
import { freeNames, type FreeName } from './free-names.ts';
import { parseExpression, SourceSyntaxError } from './parse-expression.ts';
import { SourceEdits } from './source-edits.ts';
import { memberName, walk } from './syntax-tree.ts';
import { mayWrite } from './writes.ts';

/** The names that mean something in expressions. */
export interface ExpressionNames {
  /** Roots such as `$json`, read from the scope of one evaluation. */
  readonly roots: ReadonlySet<string>;
  /** Globals that are the same for all evaluations, such as `Math` and `DateTime`. */
  readonly constants: ReadonlySet<string>;
  /** Data-transformation methods such as `toTitleCase`. */
  readonly methods: ReadonlySet<string>;
}

export interface CompiledExpression {
  /** Source of a function that takes the method caller and `constants`, and gives a function from scope to value. */
  source: string;
  constants: string[];
  /** Whether it may change its data, see `mayWrite`. */
  writes: boolean;
}

/** Compiles the inside of `{{ … }}`; undefined when it is empty. Throws SourceSyntaxError. */
export function compileExpression(code: string, names: ExpressionNames): CompiledExpression | undefined {
  const parsed = parseExpression(code);
  if (!parsed) return undefined;
  const { expression, text, prefix, program, comments } = parsed;
  const forbidden = findForbidden(expression);
  if (forbidden) throw new SourceSyntaxError(forbidden.message, Math.max(0, forbidden.node.start - prefix), 1);

  const edits = new SourceEdits(text);
  const [scope, caller] = unusedNames(expression, ['scope', 'method']);
  const constants = new Set<string>();
  for (const name of freeNames(expression)) {
    if (names.constants.has(name.node.name)) constants.add(name.node.name);
    else if (names.roots.has(name.node.name)) replaceName(name, `${scope}.${name.node.name}`, edits);
    // The evaluator's own arguments are nobody's business. Other unknown names are undefined to it, as they are in n8n.
    else if (name.node.name === 'arguments') replaceName(name, '(void 0)', edits);
  }
  walk(expression, (node) => {
    if (node.type === 'CallExpression') rewriteMethodCall(node, { caller, methods: names.methods, edits });
  });
  avoidRefusedText(text, program, comments, edits);
  return {
    source: `(${[caller, ...constants].join(', ')}) => (${scope}) => ${edits.apply()}`,
    constants: [...constants],
    writes: mayWrite(expression),
  };
}

/** Puts other source in the place of a name. */
export function replaceName({ node, shorthand }: FreeName, replacement: string, edits: SourceEdits): void {
  edits.replace(node.start, node.end, shorthand ? `${node.name}: ${replacement}` : replacement);
}

/**
 * `R.name(…)` becomes `method(R, "name")(…)` for the data-transformation methods, so that nothing has to be added to the
 * frozen built-in prototypes. In an optional chain it becomes `method(R, "name", true)?.(…)`.
 */
function rewriteMethodCall(call: CallExpression, context: { caller: string; methods: ReadonlySet<string>; edits: SourceEdits }): void {
  const { callee } = call;
  const name = memberName(callee);
  if (callee.type !== 'MemberExpression' || name === undefined || call.optional || callee.object.type === 'Super' || !context.methods.has(name)) return;
  const optional = callee.optional || isOptionalChain(callee.object);
  context.edits.insert(callee.start, `${context.caller}(`);
  context.edits.replace(callee.object.end, callee.end, `, ${JSON.stringify(name)}${optional ? ', true)?.' : ')'}`);
}

function isOptionalChain(node: AnyNode): boolean {
  if (node.type === 'MemberExpression') return node.optional || isOptionalChain(node.object);
  if (node.type === 'CallExpression') return node.optional || isOptionalChain(node.callee);
  return false;
}

/** Names that occur nowhere in the tree, made from the wanted ones. */
export function unusedNames(root: AnyNode, wanted: readonly [string, string]): [string, string] {
  const used = new Set<string>();
  walk(root, (node) => {
    if (node.type === 'Identifier') used.add(node.name);
  });
  const unused = (name: string): string => (used.has(name) ? unused(`${name}_`) : name);
  return [unused(wanted[0]), unused(wanted[1])];
}

