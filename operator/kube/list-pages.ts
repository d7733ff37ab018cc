/** A page of a list as the API server answers it. */
export interface ListPage<T> {
  items?: T[] | null;
  metadata: { resourceVersion: string; continue?: string };
}

/** Asks for the page that a token stands for, the first one without. `onText` is told the text of the answer before it is parsed. */
export type AskForPage<T> = (token: string | undefined, onText: (text: string) => void) => Promise<ListPage<T>>;

interface Asked<T> {
  token: string | undefined;
  page: Promise<ListPage<T>>;
  /** The page after it, when that has been asked for. */
  next?: Asked<T>;
}

/**
 * Reads a list page by page; resolves to its version. The next page is asked for as soon as the text of one is there, so that the API server makes it
 * while this one is parsed and kept: each takes about as long.
 */
export async function readList<T>(ask: AskForPage<T>, keep: (items: T[]) => void): Promise<string> {
  for (let asked = start(ask, undefined); ;) {
    const { items, metadata: { resourceVersion, continue: token } } = await asked.page;
    keep(items ?? []);
    if (token === undefined || token === '') return resourceVersion;
    asked = asked.next?.token === token ? asked.next : start(ask, token);
  }
}

function start<T>(ask: AskForPage<T>, token: string | undefined): Asked<T> {
  const onText = (text: string): void => {
    const next = nextPageIn(text);
    if (next !== undefined) asked.next = start(ask, next);
  };
  const asked: Asked<T> = { token, page: ask(token, onText) };
  // Nobody looks at a page that was asked for ahead when the one before it turns out to be broken.
  asked.page.catch(() => undefined);
  return asked;
}

/** More than the metadata of a list takes. */
const METADATA_CHARACTERS = 4096;
/** Custom resources have it at the end, as the last of their sorted keys; kinds of Kubernetes itself before the items. It holds no object. */
const AT_THE_END = /"metadata":(\{[^{}]*\})\}\s*$/;
const AT_THE_START = /^\{[^{}[\]]*"metadata":(\{[^{}]*\}),"items":/;
const TOKEN = /"continue":"([^"\\]+)"/;

/** The token of the next page, from the text of a list. Undefined when there is none, or when it is somewhere else: then it takes parsing. */
export function nextPageIn(text: string): string | undefined {
  const [, metadata = ''] = AT_THE_END.exec(text.slice(-METADATA_CHARACTERS)) ?? AT_THE_START.exec(text.slice(0, METADATA_CHARACTERS)) ?? [];
  return TOKEN.exec(metadata)?.[1];
}
