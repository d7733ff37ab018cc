import type { Item } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { escapeText } from './escape.ts';
import { asObject, asText } from '../json-value.ts';

const STYLES = {
  table: "style='border-spacing:0; font-family:helvetica,arial,sans-serif'",
  header: "style='margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee; text-align:left; color:#888; font-weight:normal'",
  cell: "style='margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee'",
};

const capitalized = (name: string): string => name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');

/** All items as one HTML table; its columns are the fields of all items. */
export function htmlTable(context: NodeContext): Item[] {
  const items = context.input();
  const options = asObject(context.parameter('options', 0));
  const styled = options.customStyling !== true;
  const attributes = (name: string, style: string): string => asText(options[name]) || (styled ? style : '');
  const columns = [...new Set(items.flatMap((item) => Object.keys(item.json)))];
  const header = columns.map((name) => `<th>${escapeText(options.capitalize === true ? capitalized(name) : name)}</th>`).join('');
  const cell = attributes('cellAttributes', STYLES.cell);
  const rows = items.map(({ json }) => `<tr ${asText(options.rowAttributes)} >${columns.map((name) => `<td ${cell} >${cellText(json[name])}</td>`).join('')}</tr>`).join('');
  const caption = asText(options.caption) === '' ? '' : `<caption>${escapeText(asText(options.caption))}</caption>`;
  const table = `<table ${attributes('tableAttributes', STYLES.table)} >${caption}<thead ${attributes('headerAttributes', STYLES.header)} ><tr>${header}</tr></thead><tbody>${rows}</tbody></table>`;
  return [{ json: { table }, pairedItem: items.map((_, index) => ({ item: index })) }];
}

function cellText(value: unknown): string {
  if (typeof value === 'boolean') return `<input type="checkbox" ${value ? 'checked="checked"' : ''}/>`;
  return escapeText(asText(value));
}
