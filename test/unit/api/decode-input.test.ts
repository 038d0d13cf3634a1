/** The shape check of requests: exact texts of AWS (kms-api.md 10.2), and what becomes of good values. */
import { assert, constantFrom, dictionary, jsonValue, property, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeInput, inputDecoder } from '../../../src/api/decode-input.ts';
import { apiOperations } from '../../../src/api/model.ts';
import { isKmsError } from '../../../src/errors.ts';

const HELLO = Buffer.from('hello').toString('base64');

function messageOf(operation: string, json: unknown): string {
  try {
    decodeInput(operation, json);
  } catch (error) {
    if (isKmsError(error)) return `${error.code}: ${error.publicMessage}`;
    throw error;
  }
  return 'accepted';
}

const one = (text: string): string => `ValidationException: 1 validation error detected: ${text}`;

describe('good input', () => {
  test('blobs become bytes, timestamps milliseconds, numbers and booleans in an encryption context their text', () => {
    const input = decodeInput('Encrypt', { KeyId: 'k', Plaintext: HELLO, EncryptionContext: { a: 'b', n: 12.5, t: true } });
    expect(input['Plaintext']).toEqual(Buffer.from('hello'));
    expect(Object.entries(input['EncryptionContext'] as object)).toEqual([
      ['a', 'b'],
      ['n', '12.5'],
      ['t', 'true'],
    ]);
    const token = { KeyId: 'k', ImportToken: HELLO, EncryptedKeyMaterial: HELLO, ValidTo: 1609193147.831 };
    expect(decodeInput('ImportKeyMaterial', token)['ValidTo']).toBe(1_609_193_147_831);
  });

  test('unknown members are dropped, null members count as absent', () => {
    expect(decodeInput('DescribeKey', { KeyId: 'k', Surprise: 1, GrantTokens: null })).toEqual({ KeyId: 'k' });
  });

  test('names of the object prototype are neither members nor lost from an encryption context', () => {
    const json = JSON.parse(`{"KeyId":"k","Plaintext":"${HELLO}","EncryptionContext":{"__proto__":"x","constructor":"y"}}`);
    const context = decodeInput('Encrypt', json)['EncryptionContext'] as object;
    expect(Object.entries(context)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(context)).toBeNull();
    expect(messageOf('DescribeKey', Object.create({ KeyId: 'inherited' }))).toContain("Value null at 'keyId'");
  });

  test('lengths at their bounds are accepted', () => {
    expect(messageOf('DescribeKey', { KeyId: 'k'.repeat(2048) })).toBe('accepted');
    expect(messageOf('CreateKey', { Description: '' })).toBe('accepted');
    expect(messageOf('Encrypt', { KeyId: 'k', Plaintext: Buffer.alloc(4096).toString('base64') })).toBe('accepted');
  });
});

describe('broken constraints', () => {
  test.each([
    ['DescribeKey', {}, one("Value null at 'keyId' failed to satisfy constraint: Member must not be null")],
    [
      'DescribeKey',
      { KeyId: '' },
      one("Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ],
    [
      'GenerateRandom',
      { NumberOfBytes: 0 },
      one("Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ],
    [
      'GenerateRandom',
      { NumberOfBytes: 1025 },
      one("Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024"),
    ],
    [
      'GenerateMac',
      { KeyId: 'k', Message: HELLO, MacAlgorithm: 'INVALID' },
      one(
        "Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]",
      ),
    ],
    [
      'CreateAlias',
      { AliasName: 'alias/no spaces', TargetKeyId: 'k' },
      one(
        "Value 'alias/no spaces' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
      ),
    ],
    [
      'Encrypt',
      { KeyId: 'k', Plaintext: Buffer.alloc(4097).toString('base64') },
      one("Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096"),
    ],
    [
      'Encrypt',
      { KeyId: 'k', Plaintext: '' },
      one("Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ],
    [
      'Decrypt',
      { CiphertextBlob: '' },
      one(
        "Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1",
      ),
    ],
    [
      'CreateKey',
      {
        Tags: [
          { TagKey: 'a', TagValue: 'b' },
          { TagKey: '', TagValue: 'b' },
        ],
      },
      one("Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ],
    [
      'DescribeKey',
      { KeyId: 'k', GrantTokens: Array.from({ length: 11 }, () => 't') },
      one(
        `Value '[${Array.from({ length: 11 }, () => 't').join(', ')}]' at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10`,
      ),
    ],
  ])('%s %j', (operation, json, expected) => {
    expect(messageOf(operation, json)).toBe(expected);
  });

  test('what is no text in a list that is too long is not shown, whatever it would say of itself', () => {
    const GrantTokens = [{ toString: 1 }, ...Array.from({ length: 10 }, () => 't')];
    expect(messageOf('DescribeKey', { KeyId: 'k', GrantTokens })).toContain("Value '[..., t, t,");
  });

  test('several errors come in one message', () => {
    expect(messageOf('Encrypt', { Plaintext: '' })).toBe(
      "ValidationException: 2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
        "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  });

  test('a pattern must match the whole text, not a line of it', () => {
    expect(messageOf('CreateAlias', { AliasName: 'alias/a\n', TargetKeyId: 'k' })).toContain('regular expression pattern');
  });

  test('a sensitive text is never repeated', () => {
    expect(messageOf('UpdateCustomKeyStore', { CustomKeyStoreId: 'c', KeyStorePassword: 'hunter' })).toBe(
      one("Value at 'keyStorePassword' failed to satisfy constraint: Member must have length greater than or equal to 7"),
    );
  });

  test('the message is bounded whatever the request holds', () => {
    const tags = Array.from({ length: 5_000 }, () => ({ TagKey: 'x'.repeat(10_000), TagValue: '' }));
    expect(messageOf('CreateKey', { Tags: tags }).length).toBeLessThan(500_000);
  });
});

describe('wrong JSON types', () => {
  test.each([
    ['DescribeKey', { KeyId: 5 }, 'SerializationException: NUMBER_VALUE can not be converted to a String'],
    ['DescribeKey', { KeyId: { a: 1 } }, 'SerializationException: START_OBJECT can not be converted to a String'],
    ['GenerateRandom', { NumberOfBytes: '5' }, 'SerializationException: STRING_VALUE can not be converted to an Integer'],
    ['GenerateRandom', { NumberOfBytes: 1.5 }, 'SerializationException: NUMBER_VALUE can not be converted to an Integer'],
    ['CreateKey', { MultiRegion: 'true' }, 'SerializationException: STRING_VALUE can not be converted to a Boolean'],
    ['CreateKey', { Tags: {} }, 'SerializationException: START_OBJECT can not be converted to a list'],
    ['CreateKey', { Tags: [null] }, 'SerializationException: NULL_VALUE can not be converted to a list member'],
    ['CreateKey', { Tags: ['a'] }, 'SerializationException: STRING_VALUE can not be converted to a structure'],
    ['Encrypt', { KeyId: 'k', Plaintext: 7 }, 'SerializationException: NUMBER_VALUE can not be converted to a Blob'],
    [
      'Encrypt',
      { KeyId: 'k', Plaintext: HELLO, EncryptionContext: [] },
      'SerializationException: START_ARRAY can not be converted to a map',
    ],
    [
      'Encrypt',
      { KeyId: 'k', Plaintext: HELLO, EncryptionContext: { a: null } },
      'SerializationException: NULL_VALUE can not be converted to a String',
    ],
    [
      'Encrypt',
      { KeyId: 'k', Plaintext: HELLO, EncryptionContext: { a: [] } },
      'SerializationException: START_ARRAY can not be converted to a String',
    ],
    [
      'Encrypt',
      { KeyId: 'k', Plaintext: HELLO, EncryptionContext: { a: 2 ** 53 } },
      'SerializationException: NUMBER_VALUE can not be converted to a String',
    ],
    ['ListKeys', [], 'SerializationException: START_ARRAY can not be converted to a structure'],
    ['ListKeys', null, 'SerializationException: NULL_VALUE can not be converted to a structure'],
    ['DescribeKey', { KeyId: '\ud800' }, 'SerializationException: A string holds half of a UTF-16 surrogate pair'],
  ])('%s %j', (operation, json, expected) => {
    expect(messageOf(operation, json)).toBe(expected);
  });

  test.each([
    'aGVsbG8',
    'aGVs bG8=',
    'aGVsbG8=\n',
    'aGVs-G8=',
    'aGVs_G8=',
    'aGVsbG8==',
    '=',
    'a===',
    'QQ==QQ==',
    '\u0141GVsbG8=',
    'QUJ\u00c1',
  ])('%j is not base64', (text) => {
    expect(messageOf('Encrypt', { KeyId: 'k', Plaintext: text })).toBe(
      'SerializationException: A blob is not standard base64 with padding',
    );
  });
});

describe('any input', () => {
  test('what base64 encodes comes back, for any bytes', () => {
    assert(
      property(uint8Array({ minLength: 1, maxLength: 4096 }), (bytes) => {
        const json = { KeyId: 'k', Plaintext: Buffer.from(bytes).toString('base64') };
        expect(Buffer.compare(decodeInput('Encrypt', json)['Plaintext'] as Uint8Array, bytes)).toBe(0);
      }),
    );
  });

  test('no JSON makes any operation fail with anything but ValidationException or SerializationException', () => {
    const operations = [...apiOperations.keys()];
    assert(
      property(
        constantFrom(...operations),
        dictionary(constantFrom('KeyId', 'Tags', 'Plaintext', 'Limit', 'EncryptionContext'), jsonValue()),
        (operation, json) => {
          expect(messageOf(operation, json)).toMatch(/^(accepted|ValidationException: |SerializationException: )/);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('an operation that the API does not have is unknown', () => {
    expect(messageOf('DropAllKeys', {})).toBe('UnknownOperationException: undefined');
    expect(() => inputDecoder('DropAllKeys')).toThrow(RangeError);
  });
});
