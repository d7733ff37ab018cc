/** Tokens of Moment formats, which version 1 of the node uses, and what Luxon calls them. */
const TOKENS: Readonly<Record<string, string>> = {
  YYYY: 'yyyy', YY: 'yy', Y: 'y', Q: 'q', MMMM: 'MMMM', MMM: 'MMM', MM: 'MM', M: 'M', DDDD: 'ooo', DDD: 'o', DD: 'dd', Do: 'd', D: 'd',
  dddd: 'cccc', ddd: 'ccc', E: 'c', WW: 'WW', W: 'W', GGGG: 'kkkk', HH: 'HH', H: 'H', hh: 'hh', h: 'h', mm: 'mm', m: 'm', ss: 'ss', s: 's',
  SSS: 'SSS', A: 'a', a: 'a', ZZ: 'ZZZ', Z: 'ZZ', X: 'X', x: 'x', LTS: 'tt', LT: 't', LLLL: 'DDDD t', LLL: 'DDD t', LL: 'DDD', L: 'D',
};

const TOKEN = /\[([^\]]*)\]|Do|Y{1,4}|Q|M{1,4}|D{1,4}|d{3,4}|E|W{1,2}|G{4}|H{1,2}|h{1,2}|m{1,2}|s{1,2}|S{3}|A|a|Z{1,2}|X|x|LTS|LT|L{1,4}|[A-Za-z]/g;

/** `DD.MM.YYYY [at] HH:mm` → `dd.MM.yyyy 'at' HH:mm`. Letters that are no token stand for themselves. */
export function luxonFormat(moment: string): string {
  return moment.replaceAll(TOKEN, (token, literal: string | undefined) => (literal === undefined ? TOKENS[token] ?? `'${token}'` : `'${literal}'`));
}
