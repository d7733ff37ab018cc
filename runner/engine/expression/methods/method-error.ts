/** A data-transformation method that cannot do what it is asked to. It fails the node. */
export class MethodError extends Error {}
