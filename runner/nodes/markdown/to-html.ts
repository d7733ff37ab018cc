import { Marked, type RendererObject, type TokenizerObject, type Tokens } from 'marked';
import type { JsonObject } from '../../engine/item.ts';
import { escapeText } from '../html/escape.ts';
import { asText } from '../json-value.ts';

/** Options of the node for Markdown to HTML; all are off unless said otherwise. */
export const TO_HTML_OPTIONS = {
  tables: 'tables with | and -', strikethrough: '~~text~~', tasklists: 'lists with [x]', simplifiedAutoLink: 'plain addresses become links',
  simpleLineBreaks: 'a line break is a <br />', ghCodeBlocks: 'fenced code (on)', noHeaderId: 'no id on headings',
  ghCompatibleHeaderId: 'ids of headings with dashes for spaces', prefixHeaderId: 'text before every such id', tablesHeaderId: 'ids on table headings',
  headerLevelStart: 'level of the topmost heading', openLinksInNewWindow: 'target="_blank" on links', completeHTMLDocument: 'a whole document',
} as const;

/** Ids as anchors of documents expect them: letters and digits, made unique by a number. */
class HeadingIds {
  readonly #taken = new Map<string, number>();
  readonly #options: JsonObject;

  constructor(options: JsonObject) {
    this.#options = options;
  }

  idFor(text: string): string {
    const dashes = this.#options.ghCompatibleHeaderId === true;
    const plain = dashes ? text.replaceAll(' ', '-').replaceAll(/[^\w-]/g, '') : text.replaceAll(/[^\w]/g, '');
    const prefix = this.#options.prefixHeaderId === true ? 'section' : asText(this.#options.prefixHeaderId);
    const id = `${prefix}${plain.toLowerCase()}`;
    const times = this.#taken.get(id) ?? 0;
    this.#taken.set(id, times + 1);
    return times === 0 ? id : `${id}-${times}`;
  }
}

const alignment = (align: string | null): string => (align === null ? '' : ` style="text-align:${align};"`);

const attribute = (name: string, value: string | null | undefined): string => (value ? ` ${name}="${escapeText(value)}"` : '');

function renderer(options: JsonObject): RendererObject {
  const ids = new HeadingIds(options);
  const firstLevel = Math.max(1, Number(options.headerLevelStart ?? 1) || 1);
  return {
    heading({ tokens, depth, text }) {
      const level = Math.min(6, depth + firstLevel - 1);
      const id = options.noHeaderId === true ? '' : attribute('id', ids.idFor(text));
      return `<h${level}${id}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    code({ text, lang }) {
      const language = /^\S*/.exec(lang ?? '')?.[0] ?? '';
      const classes = language === '' ? '' : ` class="${escapeText(language)} language-${escapeText(language)}"`;
      return `<pre><code${classes}>${escapeText(text).replaceAll('&quot;', '"').replaceAll('&#39;', "'")}\n</code></pre>\n`;
    },
    blockquote({ tokens }) {
      return `<blockquote>\n  ${this.parser.parse(tokens).trimEnd().replaceAll('\n', '\n  ')}\n</blockquote>\n`;
    },
    checkbox: ({ checked }) => (options.tasklists === true ? false : checked ? '[x] ' : '[ ] '),
    hr: () => '<hr />\n',
    br: () => '<br />\n',
    image: ({ href, title, text }) => `<img${attribute('src', href)} alt="${escapeText(text)}"${attribute('title', title)} />`,
    link({ href, title, tokens }) {
      const target = options.openLinksInNewWindow === true ? ' rel="noopener noreferrer" target="_blank"' : '';
      return `<a${attribute('href', href)}${attribute('title', title)}${target}>${this.parser.parseInline(tokens)}</a>`;
    },
    table(token) {
      const cell = (entry: Tokens.TableCell): string => {
        const tag = entry.header ? 'th' : 'td';
        const id = entry.header && options.tablesHeaderId === true ? attribute('id', entry.text.toLowerCase().replaceAll(/[^\w]/g, '_')) : '';
        return `<${tag}${id}${alignment(entry.align)}>${this.parser.parseInline(entry.tokens)}</${tag}>\n`;
      };
      const row = (cells: Tokens.TableCell[]): string => `<tr>\n${cells.map(cell).join('')}</tr>\n`;
      return `<table>\n<thead>\n${row(token.header)}</thead>\n<tbody>\n${token.rows.map(row).join('')}</tbody>\n</table>\n`;
    },
  };
}

/** Leaves out what is not asked for; `undefined` says that nothing was found, `false` falls back to the usual rule. */
function tokenizer(options: JsonObject): TokenizerObject {
  return {
    table: () => (options.tables === true ? false : undefined),
    del: () => (options.strikethrough === true ? false : undefined),
    url: () => (options.simplifiedAutoLink === true ? false : undefined),
    fences: () => (options.ghCodeBlocks === false ? undefined : false),
  };
}

/** Markdown as HTML. A converter per call: ids of headings are counted within one text. */
export function markdownToHtml(markdown: string, options: JsonObject): string {
  const converter = new Marked({ gfm: true, breaks: options.simpleLineBreaks === true });
  converter.use({ renderer: renderer(options), tokenizer: tokenizer(options) });
  const html = converter.parse(markdown, { async: false }).trimEnd();
  return options.completeHTMLDocument === true ? `<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset="utf-8">\n</head>\n<body>\n${html}\n</body>\n</html>` : html;
}
