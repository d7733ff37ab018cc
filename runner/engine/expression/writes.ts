import type { AnyNode } from 'acorn';
import { memberName, walk, withoutParentheses } from './syntax-tree.ts';

/** Methods that change the object they are called on, or hand a function on to be called with other arguments. */
const WRITING = new Set([
  'push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin', 'set', 'add', 'delete', 'clear',
  'assign', 'defineProperty', 'defineProperties', 'setPrototypeOf', 'freeze', 'seal', 'preventExtensions',
  '__defineGetter__', '__defineSetter__', 'call', 'apply', 'bind', 'constructor',
]);
/** Static methods that are safe to call on these; any other use of them counts as writing. */
const BUILT_INS: Readonly<Record<string, ReadonlySet<string>>> = {
  Object: new Set(['keys', 'values', 'entries', 'fromEntries', 'hasOwn', 'is', 'groupBy']),
  Array: new Set(['isArray', 'from', 'of']),
};
const POWERFUL = new Set(['Reflect', 'Proxy', 'Function']);

/**
 * Whether an expression may change what it is given. Expressions that only read get the items themselves, the others a copy
 * of their own. It errs on the side of copying; being wrong the other way would spoil no execution but the author's own.
 */
export function mayWrite(root: AnyNode): boolean {
  let writes = false;
  walk(root, (node, parent) => {
    writes ||= isWrite(node, parent);
  });
  return writes;
}

function isWrite(node: AnyNode, parent: AnyNode | undefined): boolean {
  switch (node.type) {
    case 'AssignmentExpression':
      return !isLocal(node.left);
    case 'UpdateExpression':
      return !isLocal(node.argument);
    case 'UnaryExpression':
      return node.operator === 'delete';
    case 'ForInStatement':
    case 'ForOfStatement':
      return node.left.type !== 'VariableDeclaration' && !isLocal(node.left);
    case 'TaggedTemplateExpression':
    case 'ClassExpression':
    case 'ClassDeclaration':
      return true;
    case 'MemberExpression':
      return isWritingMember(node);
    case 'CallExpression':
      return isIndirectCall(node.callee);
    case 'Identifier':
      return POWERFUL.has(node.name) || isLooseBuiltIn(node.name, node, parent);
    default:
      return false;
  }
}

function isLocal(target: AnyNode): boolean {
  return withoutParentheses(target).type === 'Identifier';
}

function isWritingMember(node: AnyNode & { type: 'MemberExpression' }): boolean {
  const name = memberName(node);
  return name !== undefined && (WRITING.has(name) || name === '__proto__');
}

/** A call whose method is only known at run time, or of something that is no plain name, member or function literal. */
function isIndirectCall(callee: AnyNode): boolean {
  const called = withoutParentheses(callee);
  if (called.type === 'MemberExpression') return memberName(called) === undefined;
  return called.type !== 'Identifier' && called.type !== 'ArrowFunctionExpression' && called.type !== 'FunctionExpression';
}

function isLooseBuiltIn(name: string, node: AnyNode, parent: AnyNode | undefined): boolean {
  const harmless = Object.hasOwn(BUILT_INS, name) ? BUILT_INS[name] : undefined;
  if (!harmless || !parent) return false;
  if (parent.type === 'MemberExpression' && parent.object === node) return !harmless.has(memberName(parent) ?? '');
  // A property or parameter that happens to have the name is not the built-in, but then copying does no harm.
  return true;
}
