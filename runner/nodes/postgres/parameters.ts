import type { ParameterDescription } from '../../engine/node-type.ts';

export const postgresParameters: readonly ParameterDescription[] = [
  { name: 'operation', type: 'options', options: ['executeQuery', 'insert', 'select', 'update', 'upsert', 'deleteTable'], default: 'insert', description: 'What to do, once for each item.' },
  { name: 'query', type: 'string', description: 'executeQuery: SQL. `$1` is the first value of options.queryReplacement, sent apart from the text; `$1:name` puts it in as a quoted name.' },
  { name: 'schema', type: 'string', default: 'public', description: 'Schema of the table, as text or as a resource locator.' },
  { name: 'table', type: 'string', description: 'The table, as text or as a resource locator. Not for executeQuery.' },
  { name: 'columns', type: 'json', description: 'insert, update, upsert: `mappingMode` autoMapInputData (fields of the item are columns) or defineBelow with `value`; `matchingColumns` say which row it is. Version 1: names of columns with commas between them.' },
  { name: 'dataMode', type: 'options', options: ['autoMapInputData', 'defineBelow'], default: 'autoMapInputData', description: 'Versions 2 and 2.1: where the values come from; defineBelow takes `valuesToSend.values`.' },
  { name: 'valuesToSend', type: 'collection', description: 'Versions 2 and 2.1: `values`, each with column and value.' },
  { name: 'columnToMatchOn', type: 'string', description: 'Versions 2 and 2.1, update and upsert: the column that says which row it is.' },
  { name: 'valueToMatchOn', type: 'string', description: 'Versions 2 and 2.1: the value of that column.' },
  { name: 'updateKey', type: 'string', default: 'id', description: 'Version 1, update: columns that say which row it is.' },
  { name: 'returnFields', type: 'string', default: '*', description: 'Version 1: columns that are put out.' },
  { name: 'where', type: 'collection', description: 'select and deleteTable with delete: `values`, each with column, condition (equal, !=, LIKE, >, <, >=, <=, IS NULL, IS NOT NULL) and value.' },
  { name: 'combineConditions', type: 'options', options: ['AND', 'OR'], default: 'AND', description: 'Whether all conditions have to hold, or one.' },
  { name: 'sort', type: 'collection', description: 'select: `values`, each with column and direction (ASC or DESC).' },
  { name: 'returnAll', type: 'boolean', default: false, description: 'select: all rows.' },
  { name: 'limit', type: 'number', default: 50, description: 'select: rows at most, unless returnAll.' },
  { name: 'deleteCommand', type: 'options', options: ['truncate', 'delete', 'drop'], default: 'truncate', description: 'deleteTable: all rows, those that `where` names, or the table itself.' },
  { name: 'restartSequences', type: 'boolean', default: false, description: 'deleteTable with truncate: also start sequences of the table anew.' },
  { name: 'options', type: 'collection', description: '`queryReplacement` (values of the query: a list, or texts and expressions with commas between them), `queryBatching` (single and transaction: all items in one transaction; independently: each on its own), `outputColumns`, `skipOnConflict`, `replaceEmptyStrings` (by null), `largeNumbersOutput` (text or numbers), `cascade`.' },
  { name: 'additionalFields', type: 'collection', description: 'Version 1: `queryParams` (fields of the item that are values of the query) and `mode`, which is what `queryBatching` is later.' },
];
