/** What a command may know and do outside itself; tests hand in their own. */
export interface Terminal {
  out(text: string): void;
  /** Progress and errors: what is not the result. */
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  /** `-` is standard input. Throws CliError FileUnreadable. */
  read(path: string): Promise<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
}
