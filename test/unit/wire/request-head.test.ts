import { describe, expect, it } from 'vitest';
import { KmsError } from '../../../src/errors.ts';
import { readHead } from '../../../src/wire/request-head.ts';

function refusal(rawHeaders: string[]): string | undefined {
  try {
    readHead('POST', '/', rawHeaders);
  } catch (error) {
    if (error instanceof KmsError && error.code === 'MalformedHttpRequestException') return error.publicMessage;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the head of a request', () => {
  it('has its target in two parts and its headers by lower-case name, repeated ones joined', () => {
    const head = readHead('POST', '/path?a=b?c', ['Host', 'x', 'X-Note', '1', 'x-note', '2']);
    expect({ ...head, headers: Object.fromEntries(head.headers) }).toEqual({
      method: 'POST',
      path: '/path',
      query: 'a=b?c',
      headers: { host: 'x', 'x-note': '1,2' },
    });
  });

  it.each([
    'Host',
    'Authorization',
    'Content-Length',
    'Content-Type',
    'X-Amz-Date',
    'X-Amz-Target',
    'X-Amz-Security-Token',
    'X-Amz-Content-Sha256',
    'Date',
  ])('is refused with two %s headers, equal or not', (name) => {
    const rest = name === 'Host' ? [] : ['host', 'x'];
    expect(refusal([...rest, name, '1', name.toUpperCase(), '1'])).toBe(
      `The request must not have more than one ${name.toLowerCase()} header.`,
    );
  });

  it('is refused without a Host, with both kinds of body length, and with more than 100 headers', () => {
    expect(refusal([])).toBe('The request must have a Host header.');
    expect(refusal(['host', 'x', 'content-length', '1', 'transfer-encoding', 'chunked'])).toBe(
      'The request must not have both Content-Length and Transfer-Encoding.',
    );
    const many = Array.from({ length: 101 }, (_, i) => [`x-${i}`, '']).flat();
    expect(refusal(many)).toBe('The request must not have more than 100 headers.');
  });
});
