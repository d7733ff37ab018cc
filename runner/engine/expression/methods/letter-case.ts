/** Words that stay small inside a title. */
const SMALL_WORDS = new Set([
  'a', 'an', 'and', 'as', 'at', 'but', 'by', 'en', 'for', 'if', 'in', 'nor', 'of', 'on', 'or', 'per', 'the', 'to', 'v', 'v.', 'via', 'vs', 'vs.', 'with',
]);
const WORD = /[\p{L}\p{N}_'’]+/gu;

const capitalize = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Capitalizes the first letter of each word and leaves the others alone; small words stay small except at the start. */
export function titleCase(text: string): string {
  return text.replaceAll(WORD, (word, at: number) => (at > 0 && SMALL_WORDS.has(word) ? word : capitalize(word)));
}

/** Capitalizes the first letter of each sentence and makes all others small. */
export function sentenceCase(text: string): string {
  return text.toLowerCase().replaceAll(/(^|[.!?]\s+)(\P{L}*)(\p{L})/gu, (_, before: string, other: string, letter: string) => before + other + letter.toUpperCase());
}

/** Small words joined by underscores; symbols are dropped. */
export function snakeCase(text: string): string {
  return text.toLowerCase().replaceAll(/[\s-]+/g, '_').replaceAll(/[^\p{L}\p{N}_]/gu, '');
}
