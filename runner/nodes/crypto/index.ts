import { createHash, createHmac, createSign, randomBytes, randomUUID } from 'node:crypto';
import type { BinaryToTextEncoding } from 'node:crypto';
import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { binaryFrom } from '../binary-property.ts';
import { mapItemsInTurn } from '../item-errors.ts';
import { asText } from '../json-value.ts';
import { flagParameter, numberParameter, textParameter } from '../parameter-value.ts';

/** n8n's names of digests and OpenSSL's. */
const DIGESTS: Readonly<Record<string, string>> = {
  MD5: 'md5', SHA256: 'sha256', 'SHA3-256': 'sha3-256', 'SHA3-384': 'sha3-384', 'SHA3-512': 'sha3-512', SHA384: 'sha384', SHA512: 'sha512', SHA1: 'sha1',
};

function digestOf(name: string): string {
  const digest = DIGESTS[name];
  if (digest) return digest;
  throw new WorkflowError('UnknownAlgorithm', `There is no digest "${name}". Use one of ${Object.keys(DIGESTS).join(', ')}.`, { parameter: 'type', nonRetryable: true });
}

const encodingOf = (context: NodeContext, index: number): BinaryToTextEncoding => (context.parameter('encoding', index, 'hex') === 'base64' ? 'base64' : 'hex');

/** The bytes to work on: a file, or a value as UTF-8. */
async function bytesOf(context: NodeContext, item: Item, index: number): Promise<Uint8Array> {
  if (flagParameter(context, 'binaryData', index)) return context.binaries.get(binaryFrom(item, textParameter(context, 'binaryPropertyName', index, 'data'), index));
  return Buffer.from(asText(context.parameter('value', index)));
}

/** The `crypto` credential keeps secrets out of parameters; older workflows have them there. */
async function secretOf(context: NodeContext, name: string, index: number): Promise<string> {
  const written = textParameter(context, name, index);
  if (written !== '' || !context.node.credentials?.crypto) return written;
  return asText((await context.credential('crypto'))[name === 'secret' ? 'hmacSecret' : 'signPrivateKey']);
}

function generate(context: NodeContext, index: number): string {
  const length = Math.max(1, numberParameter(context, 'stringLength', index, 32));
  switch (textParameter(context, 'encodingType', index, 'uuid')) {
    case 'base64': return randomBytes(length).toString('base64').replaceAll(/\W/g, '').slice(0, length);
    case 'hex': return randomBytes(length).toString('hex').slice(0, length);
    case 'ascii': return randomText(length);
    default: return randomUUID();
  }
}

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits, each equally likely: bytes past the last whole multiple are thrown away. */
function randomText(length: number): string {
  const limit = 256 - (256 % CHARACTERS.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) if (byte < limit && text.length < length) text += CHARACTERS.charAt(byte % CHARACTERS.length);
  }
  return text;
}

async function sign(context: NodeContext, index: number): Promise<string> {
  const key = await secretOf(context, 'privateKey', index);
  try {
    const signer = createSign(textParameter(context, 'algorithm', index, 'RSA-SHA256'));
    return signer.update(asText(context.parameter('value', index))).sign(key, encodingOf(context, index));
  } catch {
    throw new WorkflowError('InvalidCredential', 'The signature algorithm is unknown, or the private key is not a PEM key that fits it.', { parameter: 'privateKey', itemIndex: index, nonRetryable: true });
  }
}

async function result(context: NodeContext, item: Item, index: number): Promise<string> {
  const type = textParameter(context, 'type', index, 'MD5');
  switch (textParameter(context, 'action', index, 'hash')) {
    case 'generate': return generate(context, index);
    case 'sign': return sign(context, index);
    case 'hmac': return createHmac(digestOf(type), await secretOf(context, 'secret', index)).update(await bytesOf(context, item, index)).digest(encodingOf(context, index));
    default: return createHash(digestOf(type)).update(await bytesOf(context, item, index)).digest(encodingOf(context, index));
  }
}

/** Hashes, signs and makes random values. */
export const cryptoNode: NodeType = {
  type: 'crypto', displayName: 'Crypto', group: 'data', versions: [1], inputs: 1, outputs: ['main'],
  // Random values must not change when the execution is taken over.
  effect: (node) => (node.parameters?.action === 'generate' || node.parameters?.action === 'sign' ? 'effectful' : 'pure'),
  description: 'Hashes or signs a value or a file, or makes a random value. The result is added to the item.',
  parameters: [
    { name: 'action', type: 'options', options: ['hash', 'hmac', 'sign', 'generate'], default: 'hash', description: 'What to do.' },
    { name: 'type', type: 'options', options: Object.keys(DIGESTS), default: 'MD5', description: 'hash and hmac: the digest.' },
    { name: 'value', type: 'string', description: 'The text to hash or sign.' },
    { name: 'binaryData', type: 'boolean', default: false, description: 'hash and hmac: take a file of the item instead.' },
    { name: 'binaryPropertyName', type: 'string', default: 'data', description: 'The property of that file.' },
    { name: 'secret', type: 'string', description: 'hmac: the key. Better kept in a credential of type crypto.' },
    { name: 'privateKey', type: 'string', description: 'sign: the private key, PEM. Better kept in a credential of type crypto.' },
    { name: 'algorithm', type: 'string', default: 'RSA-SHA256', description: 'sign: the signature algorithm, as OpenSSL names it.' },
    { name: 'encoding', type: 'options', options: ['hex', 'base64'], default: 'hex', description: 'How the result is written.' },
    { name: 'encodingType', type: 'options', options: ['uuid', 'ascii', 'base64', 'hex'], default: 'uuid', description: 'generate: the kind of value.' },
    { name: 'stringLength', type: 'number', default: 32, description: 'generate: how many characters, for all but uuid.' },
    { name: 'dataPropertyName', type: 'string', default: 'data', description: 'The field for the result.' },
  ],
  execute: async (context) => [await mapItemsInTurn(context, async (item, index) => {
    const value = await result(context, item, index);
    return { ...item, json: { ...item.json, [textParameter(context, 'dataPropertyName', index, 'data')]: value }, pairedItem: { item: index } };
  })],
};
