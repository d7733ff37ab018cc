/** Where a result row came from can be asked for by selecting row ids beside the columns; this finds out whether and how. */

const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_][\w$]*|\S/g;

interface Token { text: string; end: number; depth: number }

function tokens(sql: string): Token[] {
  let depth = 0;
  const found: Token[] = [];
  for (const match of sql.matchAll(TOKEN)) {
    const [text] = match;
    if (text.startsWith('--') || text.startsWith('/*')) continue;
    if (text === ')') depth -= 1;
    found.push({ text, end: match.index + text.length, depth });
    if (text === '(') depth += 1;
  }
  return found;
}

const SET_OPERATIONS = new Set(['UNION', 'EXCEPT', 'INTERSECT']);
const AGGREGATES = new Set(['COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'TOTAL', 'GROUP_CONCAT', 'STRING_AGG']);
/** Words that may follow a table's name and are not its alias. */
const NOT_AN_ALIAS = new Set(['LEFT', 'RIGHT', 'FULL', 'INNER', 'OUTER', 'CROSS', 'NATURAL', 'JOIN', 'ON', 'USING', 'WHERE', 'GROUP', 'HAVING', 'ORDER', 'LIMIT', 'WINDOW', 'OFFSET']);

export interface Lineage {
  /** The query with one more column per table, named `__row1`, `__row2` …: a row id, or a JSON list of them in a grouped query. */
  sql: string;
  /** The input (from 0) behind each of those columns. */
  inputs: number[];
  grouped: boolean;
}

const identifier = (text: string): string => text.replace(/^["`[](.*)["`\]]$/s, '$1');

interface TableUse { input: number; alias: string }

const STARTS_TABLE = new Set(['FROM', 'JOIN', ',']);

/** The name by which the query knows the table at `position`: its alias, or its own name. */
function aliasOf(words: readonly Token[], position: number): string | undefined {
  const next = words[position + 1]?.text ?? '';
  if (next.toUpperCase() === 'AS') return words[position + 2]?.text;
  return /^["`[\w]/.test(next) && !NOT_AN_ALIAS.has(next.toUpperCase()) ? next : words[position]?.text;
}

function tablesOf(words: readonly Token[]): TableUse[] {
  return words.flatMap(({ text }, position) => {
    if (!STARTS_TABLE.has(text.toUpperCase())) return [];
    const number = /^input(\d+)$/i.exec(identifier(words[position + 1]?.text ?? ''))?.[1];
    const alias = aliasOf(words, position + 1);
    return number && alias ? [{ input: Number(number) - 1, alias }] : [];
  });
}

/** The query that also gives row ids, or undefined for queries whose rows have no clear origin (DISTINCT, UNION, WITH …). */
export function withLineage(sql: string): Lineage | undefined {
  const top = tokens(sql).filter(({ depth }) => depth === 0);
  const words = top.map(({ text }) => text.toUpperCase());
  const [first] = top;
  if (!first || words[0] !== 'SELECT' || words[1] === 'DISTINCT' || words.some((word) => SET_OPERATIONS.has(word))) return undefined;
  const from = words.indexOf('FROM');
  if (from < 0) return undefined;
  const end = words.findIndex((word, index) => index > from && ['WHERE', 'GROUP', 'ORDER', 'LIMIT', 'HAVING'].includes(word));
  const tables = tablesOf(top.slice(from, end < 0 ? undefined : end));
  const grouped = words.includes('GROUP') || words.slice(1, from).some((word) => AGGREGATES.has(word));
  const columns = tables.map(({ alias }, index) => `${grouped ? `json_group_array(${alias}.rowid)` : `${alias}.rowid`} AS __row${index + 1}`);
  if (columns.length === 0) return undefined;
  return { sql: `${sql.slice(0, first.end)} ${columns.join(', ')}, ${sql.slice(first.end)}`, inputs: tables.map(({ input }) => input), grouped };
}
