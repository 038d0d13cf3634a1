import { assert, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KmsError } from '../../../src/errors.ts';
import { type EncodedOutput, decodeInput, encodeOutput, isAmzJson } from '../../../src/wire/aws-json.ts';
import { writeBase64 } from '../../../src/wire/base64-writer.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parsed = (encoded: EncodedOutput): unknown =>
  JSON.parse(typeof encoded === 'string' ? encoded : Buffer.from(encoded).toString('utf8'));

function refusal(body: Uint8Array): string | undefined {
  try {
    decodeInput(body);
  } catch (error) {
    if (error instanceof KmsError && error.code === 'SerializationException') return error.publicMessage;
    throw error;
  }
  throw new Error('was accepted');
}

describe('decodeInput', () => {
  it('takes an empty body for an empty object', () => {
    expect(decodeInput(new Uint8Array(0))).toEqual({});
  });

  it('gives members as JSON has them, the last of repeated ones', () => {
    expect(decodeInput(bytes('{"Limit":1,"Limit":2,"Plaintext":"aGk=","x":"\\ud800"}'))).toEqual({
      Limit: 2,
      Plaintext: 'aGk=',
      x: '\ud800',
    });
  });

  it('leaves prototypes alone, whatever a member is called', () => {
    const input = decodeInput(bytes('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'));
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
    expect(Object.keys(input)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(['{', '{"a":}', '{"a":1}x', "{'a':1}", '\ufeff{}', '{"a":NaN}', '\u0000'])(
    'refuses %j as no JSON, and does not repeat it',
    (text) => {
      expect(refusal(bytes(text))).toBe('The request body is not valid JSON.');
    },
  );

  it.each(['[]', 'null', '"text"', '1', 'true'])('refuses %s: an input is an object', (text) => {
    expect(refusal(bytes(text))).toBe('The request body must be a JSON object.');
  });

  it.each([[[0xff]], [[0x22, 0xc3, 0x22]], [[0x22, 0xed, 0xa0, 0x80, 0x22]], [[0x22, 0xc0, 0x80, 0x22]]])(
    'refuses invalid UTF-8 %j',
    (octets) => {
      expect(refusal(Uint8Array.from(octets))).toBe('The request body is not valid UTF-8.');
    },
  );

  it('refuses nesting beyond 32 levels, in bounded time also at the largest size of a body', () => {
    const nested = (levels: number): Uint8Array => bytes(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`);
    expect(decodeInput(nested(31))).toHaveProperty('a');
    expect(refusal(nested(32))).toBe('The request body is nested deeper than 32 levels.');
    expect(refusal(nested(262_000))).toBe('The request body is nested deeper than 32 levels.');
    expect(refusal(bytes('{"a":'.repeat(80_000) + '1' + '}'.repeat(80_000)))).toBe('The request body is nested deeper than 32 levels.');
  });
});

describe('encodeOutput', () => {
  it('writes blobs as base64, times as seconds with their milliseconds, and leaves undefined members out', () => {
    const output = {
      CiphertextBlob: Uint8Array.of(0xfb, 0xff, 0xbf),
      KeyMetadata: { KeyId: 'a"\\\u0001é😀', CreationDate: new Date(1609193147831), DeletionDate: undefined, Enabled: true },
      Aliases: [{ AliasName: 'alias/x', LastUpdatedDate: new Date(1609193147000) }],
      Truncated: false,
      NextMarker: undefined,
      Limit: 5,
    };
    const encoded = encodeOutput(output);
    expect(encoded).toBe(
      '{"CiphertextBlob":"+/+/","KeyMetadata":{"KeyId":"a\\"\\\\\\u0001é😀","CreationDate":1609193147.831,"Enabled":true},' +
        '"Aliases":[{"AliasName":"alias/x","LastUpdatedDate":1609193147}],"Truncated":false,"Limit":5}',
    );
  });

  it('agrees with JSON for every text', () => {
    assert(
      property(string({ unit: 'binary' }), (KeyId) => {
        expect(parsed(encodeOutput({ KeyId }))).toEqual({ KeyId });
      }),
    );
  });

  it('writes plaintext members to bytes, agrees with the base64 of Node, and wipes what it was given', () => {
    assert(
      property(uint8Array({ maxLength: 100 }), string({ unit: 'binary' }), (secret, KeyId) => {
        const base64 = Buffer.from(secret).toString('base64');
        const encoded = encodeOutput({
          KeyId,
          Plaintext: secret,
          A: 1,
          PrivateKeyPlaintext: Uint8Array.from(secret),
          Z: 'é',
        });
        expect(encoded).toBeInstanceOf(Uint8Array);
        expect(parsed(encoded)).toEqual({ KeyId, Plaintext: base64, A: 1, PrivateKeyPlaintext: base64, Z: 'é' });
        expect(secret.every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it('answers an operation without output with no body, one with an empty output with {}', () => {
    expect(encodeOutput(undefined)).toBe('');
    expect(encodeOutput({})).toBe('{}');
  });

  it.each([[1n], [Number.NaN], [new Date(Number.NaN)], [Symbol('x')], [() => 0], [new Map()]])(
    'refuses %s, which JSON does not have',
    (value) => {
      expect(() => encodeOutput({ value })).toThrow(TypeError);
    },
  );
});

describe('writeBase64', () => {
  it('writes at its offset and tells how much', () => {
    const target = new Uint8Array(10);
    expect(writeBase64(bytes('hi'), target, 3)).toBe(4);
    expect(Buffer.from(target).toString('latin1')).toBe('\0\0\0aGk=\0\0\0');
  });
});

describe('the content type', () => {
  it('is application/x-amz-json-1.1 with or without parameters, in any case', () => {
    for (const type of ['application/x-amz-json-1.1', 'Application/X-Amz-JSON-1.1', 'application/x-amz-json-1.1; charset=utf-8']) {
      expect(isAmzJson(type)).toBe(true);
    }
    for (const type of [undefined, '', 'application/json', 'application/x-amz-json-1.0', 'text/plain', 'application/x-amz-json-1.12']) {
      expect(isAmzJson(type)).toBe(false);
    }
  });
});
