/**
 * What has to be known of a query's text: which inputs it reads under which names, which of their columns it names, and
 * whether its rows can be traced to items. The SQL itself is SQLite's business.
 */

const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_][\w$]*|\S/g;

interface Token {
  text: string;
  /** The text in capitals, for keywords. */
  word: string;
  start: number;
  end: number;
  /** How many parentheses it stands in. */
  depth: number;
  /** Inside a SELECT of its own. */
  nested: boolean;
}

/** A table of the query: input 1 is 0. */
interface TableUse { input: number; alias: string }

export interface SqlQuery {
  sql: string;
  tokens: readonly Token[];
  tables: readonly TableUse[];
}

const SET_OPERATIONS = new Set(['UNION', 'EXCEPT', 'INTERSECT']);
const AGGREGATES = new Set(['COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'TOTAL', 'GROUP_CONCAT', 'STRING_AGG']);
const AFTER_FROM = new Set(['WHERE', 'GROUP', 'ORDER', 'LIMIT', 'HAVING']);
const STARTS_TABLE = new Set(['FROM', 'JOIN', ',']);
/** Words that may follow a table's name and are not its alias. */
const NOT_AN_ALIAS = new Set(['LEFT', 'RIGHT', 'FULL', 'INNER', 'OUTER', 'CROSS', 'NATURAL', 'JOIN', 'ON', 'USING', ...AFTER_FROM, 'WINDOW', 'OFFSET']);

const isName = (text: string | undefined): boolean => text !== undefined && /^["`[A-Za-z_]/.test(text);

const nameOf = (text: string): string => text.replace(/^["`[](.*)["`\]]$/s, '$1');

function tokenize(sql: string): Token[] {
  const found: Token[] = [];
  const groups: boolean[] = [];
  for (const match of sql.matchAll(TOKEN)) {
    const [text] = match;
    if (text.startsWith('--') || text.startsWith('/*')) continue;
    const word = text.toUpperCase();
    if (text === ')') groups.pop();
    if (word === 'SELECT' && groups.length > 0) groups[groups.length - 1] = true;
    found.push({ text, word, start: match.index, end: match.index + text.length, depth: groups.length, nested: groups.includes(true) });
    if (text === '(') groups.push(false);
  }
  return found;
}

/** The name by which the query knows the table at `position`: its alias, or its own name. */
function aliasOf(tokens: readonly Token[], position: number): string | undefined {
  const next = tokens[position + 1];
  if (next?.word === 'AS') return tokens[position + 2]?.text;
  return next && isName(next.text) && !NOT_AN_ALIAS.has(next.word) ? next.text : tokens[position]?.text;
}

function tablesOf(top: readonly Token[]): TableUse[] {
  const from = top.findIndex(({ word }) => word === 'FROM');
  if (from < 0) return [];
  const end = top.findIndex(({ word }, index) => index > from && AFTER_FROM.has(word));
  const clause = top.slice(from, end < 0 ? undefined : end);
  return clause.flatMap(({ word }, position) => {
    if (!STARTS_TABLE.has(word)) return [];
    const number = /^input(\d+)$/i.exec(nameOf(clause[position + 1]?.text ?? ''))?.[1];
    const alias = aliasOf(clause, position + 1);
    return number && alias ? [{ input: Number(number) - 1, alias }] : [];
  });
}

export function parseQuery(sql: string): SqlQuery {
  const tokens = tokenize(sql);
  return { sql, tokens, tables: tablesOf(tokens.filter(({ depth }) => depth === 0)) };
}

/** The columns that the query names with their table: a field that no item has is empty, and no mistake in the query. */
export function namedColumns({ tokens, tables }: SqlQuery): { input: number; column: string }[] {
  return tokens.flatMap(({ text }, position) => {
    const table = tables.find(({ alias }) => nameOf(alias).toLowerCase() === nameOf(text).toLowerCase());
    const column = tokens[position + 2]?.text;
    return table && tokens[position + 1]?.text === '.' && column !== undefined && isName(column) ? [{ input: table.input, column: nameOf(column) }] : [];
  });
}

/**
 * The query with every column that names no table read from the first one. That is how n8n reads queries over several
 * tables; SQLite would look for the table that has the column.
 */
export function readBareColumnsFromFirst(query: SqlQuery, columns: ReadonlySet<string>): SqlQuery {
  const [first] = query.tables;
  if (!first || query.tables.length < 2) return query;
  const aliases = new Set(query.tables.map(({ alias }) => alias));
  const isBare = ({ text, nested }: Token, position: number): boolean => {
    const [before, after] = [query.tokens[position - 1], query.tokens[position + 1]?.text];
    return !nested && isName(text) && columns.has(nameOf(text)) && !aliases.has(text) && before?.text !== '.' && before?.word !== 'AS' && after !== '.' && after !== '(';
  };
  const bare = query.tokens.filter(isBare);
  return bare.length === 0 ? query : parseQuery(bare.reduceRight((sql, { start }) => `${sql.slice(0, start)}${first.alias}.${sql.slice(start)}`, query.sql));
}

export interface TracedQuery {
  /** The query with one more column per table, named `__row1`, `__row2` …: a row id, or a JSON list of them in a grouped query. */
  sql: string;
  /** The input behind each of those columns. */
  inputs: number[];
  grouped: boolean;
}

/** The query that also tells where its rows come from, or undefined for those whose rows have no clear origin (DISTINCT, UNION, WITH …). */
export function traced({ sql, tokens, tables }: SqlQuery): TracedQuery | undefined {
  const top = tokens.filter(({ depth }) => depth === 0);
  const words = top.map(({ word }) => word);
  const [first] = top;
  if (!first || words[0] !== 'SELECT' || words[1] === 'DISTINCT' || words.some((word) => SET_OPERATIONS.has(word)) || tables.length === 0) return undefined;
  const grouped = words.includes('GROUP') || words.slice(1, words.indexOf('FROM')).some((word, index) => AGGREGATES.has(word) && words[index + 2] === '(');
  const columns = tables.map(({ alias }, index) => `${grouped ? `json_group_array(${alias}.rowid)` : `${alias}.rowid`} AS __row${index + 1}`);
  return { sql: `${sql.slice(0, first.end)} ${columns.join(', ')}, ${sql.slice(first.end)}`, inputs: tables.map(({ input }) => input), grouped };
}
