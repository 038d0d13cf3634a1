import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KmsError } from '../../../../src/errors.ts';
import { parseAuthorization } from '../../../../src/wire/sigv4/authorization-header.ts';

const GOOD = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;

function refusal(value: string | undefined, hasDate = true): KmsError {
  try {
    parseAuthorization(value, hasDate);
  } catch (error) {
    if (error instanceof KmsError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

const fingerprint = (header: string): string => `(hashed with SHA-256 and encoded with Base64): '${hash('sha256', header, 'base64')}'`;

describe('the Authorization header', () => {
  it('is taken apart with and without blanks after the commas, in any order', () => {
    const expected = {
      accessKeyId: 'AKIDEXAMPLE',
      day: '20150830',
      region: 'us-east-1',
      service: 'kms',
      terminator: 'aws4_request',
      signedHeaders: ['host', 'x-amz-date'],
      signature: '0'.repeat(64),
    };
    expect(parseAuthorization(GOOD, true)).toEqual(expected);
    expect(parseAuthorization(GOOD.replaceAll(', ', ','), true)).toEqual(expected);
    const [algorithm, credential, headers, signature] = GOOD.replaceAll(',', '').split(' ');
    expect(parseAuthorization(`${algorithm} ${signature},  ${headers} , ${credential}`, true)).toEqual(expected);
  });

  it('is missed where it is absent', () => {
    const error = refusal(undefined);
    expect(error.code).toBe('MissingAuthenticationTokenException');
    expect(error.publicMessage).toBe('Missing Authentication Token');
  });

  it.each([
    ['empty', '', 'Authorization header cannot be empty'],
    ['of another scheme', 'Basic dXNlcg==', "Unsupported AWS 'algorithm'. The Authorization header must begin with 'AWS4-HMAC-SHA256'."],
    [
      'without parameters',
      'AWS4-HMAC-SHA256',
      `Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. ${fingerprint('AWS4-HMAC-SHA256')}`,
    ],
    [
      'without a signature',
      'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=',
      `Authorization header requires 'Signature' parameter. ${fingerprint('AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=')}`,
    ],
    [
      'with a parameter that has no equal sign',
      'AWS4-HMAC-SHA256 Credential= a/b/c/d/e, SignedHeaders=host, Signature=x',
      `Invalid key=value pair (missing equal-sign) in Authorization header ${fingerprint('AWS4-HMAC-SHA256 Credential= a/b/c/d/e, SignedHeaders=host, Signature=x')}.`,
    ],
    [
      'with a short credential scope',
      'AWS4-HMAC-SHA256 Credential=AKID/20150830/kms, SignedHeaders=host, Signature=x',
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKID/20150830/kms'",
    ],
    [
      'with a parameter twice',
      'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=x, SignedHeaders=host, Signature=y',
      "Authorization header has more than one 'Signature' parameter.",
    ],
  ])('is incomplete when %s', (_what, value, message) => {
    const error = refusal(value);
    expect(error.code).toBe('IncompleteSignatureException');
    expect(error.publicMessage).toBe(message);
  });

  it('asks for a date beside it', () => {
    expect(refusal(GOOD, false).publicMessage).toBe(
      `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ${fingerprint(GOOD)}`,
    );
  });
});
