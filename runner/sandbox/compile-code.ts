import { avoidRefusedText } from '../engine/expression/evaluator-text.ts';
import { replaceName, unusedNames } from '../engine/expression/compile-expression.ts';
import { freeNames, type FreeName } from '../engine/expression/free-names.ts';
import { parseBody, SourceSyntaxError } from '../engine/expression/parse-expression.ts';
import { SourceEdits } from '../engine/expression/source-edits.ts';
import { walk } from '../engine/expression/syntax-tree.ts';

export interface CompiledCode {
  /** Source of a function that takes `missing` and `constants`, and gives a function from scope to promise. User code starts in its first line. */
  source: string;
  constants: string[];
}

/** Compiles the source of a Code node, which is the body of an async function. Throws SourceSyntaxError. */
export function compileCode(source: string, names: { roots: ReadonlySet<string>; constants: ReadonlySet<string> }): CompiledCode {
  const { program, comments } = parseBody(source);
  walk(program, (node) => {
    const message = UNAVAILABLE[node.type];
    if (message !== undefined) throw new SourceSyntaxError(message, node.start, lineOf(source, node.start));
  });
  const edits = new SourceEdits(source);
  const [scope, missing] = unusedNames(program, ['scope', 'missing']);
  const free = freeNames(program);
  const known = { constants: namesIn(free, names.constants), roots: namesIn(free, names.roots) };
  const implicit = new Set(free.filter(({ node, written }) => written && !known.constants.has(node.name) && !known.roots.has(node.name)).map(({ node }) => node.name));
  for (const name of free) {
    const exists = known.constants.has(name.node.name) || known.roots.has(name.node.name) || implicit.has(name.node.name);
    // Reading a name that does not exist must throw; the evaluator itself would give undefined.
    if (!exists) replaceName(name, name.typeOnly ? '(void 0)' : `${missing}(${JSON.stringify(name.node.name)})`, edits);
  }
  avoidRefusedText(source, program, comments, edits);
  // Roots are variables, so that old code may assign to them; names that are assigned but never declared become variables, too.
  const variables = [...[...known.roots].map((name) => `${name} = ${scope}.${name}`), ...implicit];
  const declarations = variables.length > 0 ? `let ${variables.join(', ')}; ` : '';
  return {
    source: `(${[missing, ...known.constants].join(', ')}) => (${scope}) => { ${declarations}return (async function () {${edits.apply()}\n}).call(${scope}.self); }`,
    constants: [...known.constants],
  };
}

function namesIn(free: readonly FreeName[], names: ReadonlySet<string>): Set<string> {
  return new Set(free.map(({ node }) => node.name).filter((name) => names.has(name)));
}

const UNAVAILABLE: Readonly<Record<string, string>> = {
  ImportDeclaration: 'import is not available, use require()',
  ImportExpression: 'import() is not available, use require()',
  ExportNamedDeclaration: 'export is not available, use return',
  ExportDefaultDeclaration: 'export is not available, use return',
  ExportAllDeclaration: 'export is not available, use return',
};

function lineOf(source: string, position: number): number {
  return source.slice(0, position).split('\n').length;
}
