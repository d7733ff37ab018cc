import type { ParameterDescription } from '../../engine/node-type.ts';

export const httpParameters: readonly ParameterDescription[] = [
  { name: 'method', type: 'options', options: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'], default: 'GET', description: 'The method. Versions 1 and 2: `requestMethod`.' },
  { name: 'url', type: 'string', required: true, description: 'The address, with http:// or https://.' },
  { name: 'authentication', type: 'options', options: ['none', 'predefinedCredentialType', 'genericCredentialType'], default: 'none', description: 'What kind of credential to use. Versions 1 and 2: basicAuth, headerAuth, queryAuth, oAuth2.' },
  { name: 'genericAuthType', type: 'options', options: ['httpBasicAuth', 'httpBearerAuth', 'httpHeaderAuth', 'httpQueryAuth', 'httpCustomAuth', 'oAuth2Api'], description: 'genericCredentialType: the type of the credential.' },
  { name: 'nodeCredentialType', type: 'string', description: 'predefinedCredentialType: the type of a service\'s credential. Its `headers` and `query` are sent, or its token as Bearer, or its user and password.' },
  { name: 'sendQuery', type: 'boolean', default: false, description: 'Send query parameters.' },
  { name: 'specifyQuery', type: 'options', options: ['keypair', 'json'], default: 'keypair', description: 'How they are given.' },
  { name: 'queryParameters', type: 'collection', description: '`{parameters: [{name, value}]}`.' },
  { name: 'jsonQuery', type: 'json', description: 'The query parameters as an object.' },
  { name: 'sendHeaders', type: 'boolean', default: false, description: 'Send headers.' },
  { name: 'specifyHeaders', type: 'options', options: ['keypair', 'json'], default: 'keypair', description: 'How they are given.' },
  { name: 'headerParameters', type: 'collection', description: '`{parameters: [{name, value}]}`.' },
  { name: 'jsonHeaders', type: 'json', description: 'The headers as an object.' },
  { name: 'sendBody', type: 'boolean', default: false, description: 'Send a body.' },
  { name: 'contentType', type: 'options', options: ['json', 'form-urlencoded', 'multipart-form-data', 'binaryData', 'raw'], default: 'json', description: 'What the body is.' },
  { name: 'specifyBody', type: 'options', options: ['keypair', 'json', 'string'], default: 'keypair', description: 'How it is given: as fields, as JSON, or (form-urlencoded) as text.' },
  { name: 'bodyParameters', type: 'collection', description: '`{parameters: [{name, value}]}`; multipart also `{name, parameterType: "formBinaryData", inputDataFieldName}`.' },
  { name: 'jsonBody', type: 'json', description: 'The body as JSON.' },
  { name: 'body', type: 'string', description: 'raw: the body; form-urlencoded as text: `a=1&b=2`.' },
  { name: 'rawContentType', type: 'string', description: 'raw: its media type.' },
  { name: 'inputDataFieldName', type: 'string', default: 'data', description: 'binaryData: the property of the file to send.' },
  { name: 'requestMethod', type: 'string', default: 'GET', description: 'Versions 1 and 2: the method. The other parameters of these versions are `responseFormat`, `dataPropertyName`, `jsonParameters`, `sendBinaryData`, `binaryPropertyName`, `bodyParametersUi`, `headerParametersUi`, `queryParametersUi` (`{parameter: [{name, value}]}`) and `bodyParametersJson`, `headerParametersJson`, `queryParametersJson`.' },
  {
    name: 'options', type: 'collection', default: {},
    description: '`response.response`: {responseFormat: autodetect, json, text or file; outputPropertyName; fullResponse; neverError}. `redirect.redirect`: {followRedirects, maxRedirects}. '
      + '`batching.batch`: {batchSize, batchInterval in milliseconds}. `timeout` in milliseconds. `idempotencyKeyHeader`: the header that carries a key which is the same when a request is sent again after a retry or a crash; with compat millrace `Idempotency-Key` for POST, PUT, PATCH and DELETE, else none; empty for none. `queryParameterArrays`: brackets, indices or repeat. '
      + '`pagination.pagination`: {paginationMode: updateAParameterInEachRequest with parameters.parameters [{type: qs, headers or body, name, value}], or responseContainsNextURL with nextURL; '
      + 'paginationCompleteWhen: responseIsEmpty, receiveSpecificStatusCodes with statusCodesWhenComplete, or other with completeExpression; limitPagesFetched, maxRequests, requestInterval}; '
      + 'their expressions may use $response, $request and $pageCount. Certificates are always checked, whatever `allowUnauthorizedCerts` says; `proxy` is not supported.',
  },
];
