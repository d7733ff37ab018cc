import type { JsonObject } from './item.ts';

export interface DatabaseStatement {
  text: string;
  values?: readonly unknown[];
  /** Large numbers as numbers, which may lose digits, instead of as texts. */
  asNumbers?: boolean;
}

/** What one statement of a query gave. */
export interface DatabaseResult {
  rows: readonly JsonObject[];
  /** SELECT, INSERT, … as PostgreSQL names it. */
  command: string;
}

/** A connection that one node run has for itself. */
export interface DatabaseConnection {
  /** One result per statement in the text. Rejects with DatabaseQuery when PostgreSQL refuses it, else with DatabaseConnection. */
  query(statement: DatabaseStatement): Promise<readonly DatabaseResult[]>;
  /** Several statements, all of which take place or none. The connection that `work` gets is to be used for them. */
  atomically<T>(work: (connection: Pick<DatabaseConnection, 'query'>) => Promise<T>): Promise<T>;
  /** Gives it back. With `true` it is closed, whatever runs on it. */
  release(close?: boolean): void;
}

/** The databases of workflows, over pools of connections with bounds. */
export interface Databases {
  /** `namespace` shares connections with nobody else. Rejects with InvalidCredential, DatabaseConnection, DatabaseBusy or EgressDenied. */
  connect(request: { namespace: string; fields: JsonObject; signal: AbortSignal }): Promise<DatabaseConnection>;
}
