import type { AnyNode } from 'acorn';
import { memberName, walk, withoutParentheses } from './syntax-tree.ts';

export interface Forbidden {
  node: AnyNode;
  message: string;
}

/**
 * The first construct an expression may not have. This is for a clear message at admission: what really keeps expressions
 * from reaching anything is the sandbox.
 */
export function findForbidden(root: AnyNode): Forbidden | undefined {
  let found: Forbidden | undefined;
  walk(root, (node) => {
    const message = found ? undefined : forbiddenMessage(node);
    if (message) found = { node, message };
  });
  return found;
}

const AT_ONCE = 'Expressions are evaluated at once: await and async functions are not available';

function forbiddenMessage(node: AnyNode): string | undefined {
  switch (node.type) {
    case 'CallExpression':
    case 'NewExpression':
      return memberName(withoutParentheses(node.callee)) === 'constructor' ? 'Calling a constructor property is not allowed' : undefined;
    case 'ImportExpression':
      return 'import() is not available';
    case 'MetaProperty':
      return node.meta.name === 'import' ? 'import.meta is not available' : undefined;
    case 'AwaitExpression':
      return AT_ONCE;
    case 'FunctionExpression':
    case 'FunctionDeclaration':
    case 'ArrowFunctionExpression':
      return node.async ? AT_ONCE : undefined;
    default:
      return undefined;
  }
}
