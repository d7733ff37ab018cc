import sax from 'sax';
import { WorkflowError } from '../../engine/error.ts';

export interface XmlHandlers {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** Reads XML as events, with names as they are written (`table:table-cell`). Entities are not expanded. Throws WorkflowError InvalidFile. */
export function readXml(xml: string, handlers: XmlHandlers): void {
  const parser = sax.parser(true, { trim: false });
  Object.assign(parser, {
    onopentag: ({ name, attributes }: sax.Tag) => handlers.open?.(name, attributes),
    ontext: (text: string) => handlers.text?.(text),
    oncdata: (text: string) => handlers.text?.(text),
    onclosetag: (name: string) => handlers.close?.(name),
    onerror: (cause: Error) => {
      throw new WorkflowError('InvalidFile', 'A part of the spreadsheet is not XML. The file may be damaged.', { nonRetryable: true, cause });
    },
  });
  parser.write(xml).close();
}
