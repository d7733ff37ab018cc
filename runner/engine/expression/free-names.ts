import type { AnyNode, Identifier, Pattern, SwitchCase } from 'acorn';
import { childrenOf, walk, withoutParentheses } from './syntax-tree.ts';

/** A use of a name that nothing in the source declares. */
export interface FreeName {
  node: Identifier;
  /** The `{ name }` form of a property, where the name is key and value at once. */
  shorthand: boolean;
  /** Whether the source assigns to the name. */
  written: boolean;
  /** `typeof name`, which is fine even when the name does not exist. */
  typeOnly: boolean;
}

interface Scope {
  names: Set<string>;
  parent: Scope | undefined;
}

/** All uses of names that the source does not declare itself, in source order of their scopes. */
export function freeNames(root: AnyNode): FreeName[] {
  const finder = new FreeNameFinder();
  finder.visit(root, { names: new Set(), parent: undefined });
  const typeOnly = new Set<AnyNode>();
  walk(root, (node) => {
    if (node.type === 'UnaryExpression' && node.operator === 'typeof') typeOnly.add(withoutParentheses(node.argument));
  });
  return finder.found.map((found) => ({ ...found, typeOnly: typeOnly.has(found.node) }));
}

class FreeNameFinder {
  readonly found: Omit<FreeName, 'typeOnly'>[] = [];

  visit(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'Identifier':
        this.#use(node, scope, false, false);
        break;
      case 'Program':
      case 'BlockStatement':
      case 'StaticBlock':
        this.#block(node, node.body, scope);
        break;
      case 'SwitchStatement':
        this.visit(node.discriminant, scope);
        this.#cases(node.cases, scope);
        break;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        this.#loop(node, scope);
        break;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#function(node, scope);
        break;
      default:
        this.#other(node, scope);
    }
  }

  #other(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'ClassExpression':
      case 'ClassDeclaration':
        this.#children(node, inner(scope, node.id ? [node.id.name] : []));
        break;
      case 'CatchClause':
        this.#children(node, inner(scope, node.param ? boundNames(node.param) : []));
        break;
      case 'MemberExpression':
        this.visit(node.object, scope);
        if (node.computed) this.visit(node.property, scope);
        break;
      case 'Property':
        this.#property(node, scope);
        break;
      case 'MethodDefinition':
      case 'PropertyDefinition':
        if (node.computed) this.visit(node.key, scope);
        if (node.value) this.visit(node.value, scope);
        break;
      case 'AssignmentExpression':
        this.#target(node.left, scope);
        this.visit(node.right, scope);
        break;
      case 'UpdateExpression':
        this.#target(node.argument, scope);
        break;
      default:
        this.#children(node, scope);
    }
  }

  #children(node: AnyNode, scope: Scope): void {
    // What is left with identifiers that are no names of variables: labels, and the parts of new.target.
    if (node.type === 'BreakStatement' || node.type === 'ContinueStatement' || node.type === 'MetaProperty') return;
    for (const child of node.type === 'LabeledStatement' ? [node.body] : childrenOf(node)) this.visit(child, scope);
  }

  #block(node: AnyNode, statements: readonly AnyNode[], scope: Scope): void {
    this.#children(node, inner(scope, [...lexicalNames(statements), ...(node.type === 'Program' ? variableNames(statements) : [])]));
  }

  #cases(cases: readonly SwitchCase[], scope: Scope): void {
    const body = inner(scope, lexicalNames(cases.flatMap(({ consequent }) => consequent)));
    for (const each of cases) this.#children(each, body);
  }

  #loop(node: AnyNode & { type: 'ForStatement' | 'ForInStatement' | 'ForOfStatement' }, scope: Scope): void {
    const head = node.type === 'ForStatement' ? node.init : node.left;
    const loop = inner(scope, head?.type === 'VariableDeclaration' ? lexicalNames([head]) : []);
    if (node.type === 'ForStatement' || node.left.type === 'VariableDeclaration') {
      this.#children(node, loop);
      return;
    }
    this.#target(node.left, loop);
    this.visit(node.right, loop);
    this.visit(node.body, loop);
  }

  #function(node: AnyNode & { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }, scope: Scope): void {
    const own = node.type === 'ArrowFunctionExpression' ? [] : ['arguments', ...(node.id ? [node.id.name] : [])];
    const body = node.body.type === 'BlockStatement' ? node.body.body : [];
    const names = [...own, ...node.params.flatMap(boundNames), ...variableNames(body), ...lexicalNames(body)];
    const functionScope = inner(scope, names);
    for (const child of [...node.params, node.body]) this.visit(child, functionScope);
  }

  #property(node: AnyNode & { type: 'Property' }, scope: Scope): void {
    if (node.computed) this.visit(node.key, scope);
    if (node.shorthand && node.value.type === 'Identifier') this.#use(node.value, scope, true, false);
    else this.visit(node.value, scope);
  }

  /** Something that is assigned to: names in it are written, everything else is read. */
  #target(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'Identifier':
        this.#use(node, scope, false, true);
        break;
      case 'ParenthesizedExpression':
        this.#target(node.expression, scope);
        break;
      case 'ArrayPattern':
        for (const element of node.elements) if (element) this.#target(element, scope);
        break;
      case 'ObjectPattern':
        for (const property of node.properties) this.#target(property, scope);
        break;
      case 'Property':
        if (node.computed) this.visit(node.key, scope);
        if (node.shorthand && node.value.type === 'Identifier') this.#use(node.value, scope, true, true);
        else this.#target(node.value, scope);
        break;
      case 'AssignmentPattern':
        this.#target(node.left, scope);
        this.visit(node.right, scope);
        break;
      case 'RestElement':
        this.#target(node.argument, scope);
        break;
      default:
        this.visit(node, scope);
    }
  }

  #use(node: Identifier, scope: Scope, shorthand: boolean, written: boolean): void {
    for (let each: Scope | undefined = scope; each; each = each.parent) if (each.names.has(node.name)) return;
    this.found.push({ node, shorthand, written });
  }
}

function inner(parent: Scope, names: readonly string[]): Scope {
  return { names: new Set(names), parent };
}

/** The names a parameter, variable or catch pattern binds. */
function boundNames(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => boundNames(property.type === 'RestElement' ? property.argument : property.value));
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? boundNames(element) : []));
    case 'RestElement':
      return boundNames(pattern.argument);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    default:
      return [];
  }
}

/** What `let`, `const`, `class` and `function` declare directly among these statements. */
function lexicalNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((statement) => {
    if (statement.type === 'VariableDeclaration' && statement.kind !== 'var') return statement.declarations.flatMap(({ id }) => boundNames(id));
    if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') return statement.id ? [statement.id.name] : [];
    return [];
  });
}

/** What `var` declares anywhere below these statements, functions left out. */
function variableNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((statement) => {
    switch (statement.type) {
      case 'VariableDeclaration':
        return statement.kind === 'var' ? statement.declarations.flatMap(({ id }) => boundNames(id)) : [];
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'ClassDeclaration':
      case 'ClassExpression':
        return [];
      default:
        return variableNames(childrenOf(statement));
    }
  });
}
