/** Collects replacements in a source text and applies them together, so that positions stay those of the original. */
export class SourceEdits {
  readonly #source: string;
  readonly #edits: { start: number; end: number; text: string }[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  /** Of replacements inside each other the outer one counts. */
  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  apply(): string {
    // Array.sort is stable: insertions at one place keep the order in which they were made.
    const edits = this.#edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
    let result = '';
    let at = 0;
    for (const { start, end, text } of edits) {
      // Inside of what has been replaced already: a comment between a value and its method, say.
      if (start < at) continue;
      result += this.#source.slice(at, start) + text;
      at = end;
    }
    return result + this.#source.slice(at);
  }
}
