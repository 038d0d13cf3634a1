import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BodyReader, type ReadBody } from '../../../src/wire/body-reader.ts';

const LIMITS = { bodyBytesMax: 10, heldBytesMax: 15, smallBodyBytesMax: 3, discardBytesMax: 30 };

function reading(reader: BodyReader): { readonly stream: PassThrough; readonly results: ReadBody[] } {
  const stream = new PassThrough();
  const results: ReadBody[] = [];
  reader.read(stream as unknown as IncomingMessage, (read) => results.push(read));
  return { stream, results };
}

async function send(stream: PassThrough, ...chunks: string[]): Promise<void> {
  for (const chunk of chunks) stream.write(Buffer.from(chunk));
  await turn();
}

const textOf = (read: ReadBody | undefined): string => (read !== undefined && 'body' in read ? Buffer.from(read.body).toString() : '');
const codeOf = (read: ReadBody | undefined): string => (read !== undefined && 'refusal' in read ? read.refusal.code : '');

describe('the reader of bodies', () => {
  it('joins a body from its chunks, and takes one without any', async () => {
    const reader = new BodyReader(LIMITS);
    const [whole, empty] = [reading(reader), reading(reader)];
    await send(whole.stream, 'abc', 'defg', 'hij');
    whole.stream.end();
    empty.stream.end();
    await turn();
    expect(whole.results.map(textOf)).toEqual(['abcdefghij']);
    expect(empty.results).toEqual([{ body: new Uint8Array(0) }]);
  });

  it('reads a body over the limit to its end, and then refuses it with the connection in order', async () => {
    const { stream, results } = reading(new BodyReader(LIMITS));
    await send(stream, 'abcdefghij', 'k');
    expect(results).toEqual([]);
    stream.end();
    await turn();
    expect(results).toMatchObject([{ refusal: { code: 'RequestEntityTooLargeException' }, complete: true }]);
  });

  it('gives up a body far over the limit, once', async () => {
    const { stream, results } = reading(new BodyReader(LIMITS));
    await send(stream, 'x'.repeat(31), 'more');
    stream.end();
    await turn();
    expect(results).toMatchObject([{ refusal: { code: 'RequestEntityTooLargeException' }, complete: false }]);
  });

  it('holds a bounded sum of bodies, and has room again when one was released, refused or abandoned', async () => {
    const reader = new BodyReader(LIMITS);
    const first = reading(reader);
    await send(first.stream, '1234567890');
    const surplus = reading(reader);
    await send(surplus.stream, '12345', '6');
    surplus.stream.end();
    await turn();
    expect(surplus.results.map(codeOf)).toEqual(['ServiceUnavailableException']);
    const abandoned = reading(reader);
    await send(abandoned.stream, '12345');
    abandoned.stream.destroy();
    first.stream.end();
    await turn();
    const body = first.results[0];
    if (body === undefined || !('body' in body)) throw new Error('no body');
    reader.release(body.body);
    expect(textOf(body)).toBe('\0'.repeat(10));
    const [next, last] = [reading(reader), reading(reader)];
    await send(next.stream, '1234567890');
    await send(last.stream, '12345');
    next.stream.end();
    last.stream.end();
    await turn();
    expect([...next.results, ...last.results].map(textOf)).toEqual(['1234567890', '12345']);
    expect(abandoned.results).toEqual([]);
  });

  it('takes a small body however much is held', async () => {
    const reader = new BodyReader(LIMITS);
    for (const text of ['1234567890', '12345']) await send(reading(reader).stream, text);
    const [small, larger] = [reading(reader), reading(reader)];
    await send(small.stream, 'ab', 'c');
    await send(larger.stream, 'abcd');
    small.stream.end();
    larger.stream.end();
    await turn();
    expect([textOf(small.results[0]), codeOf(larger.results[0])]).toEqual(['abc', 'ServiceUnavailableException']);
  });

  it('keeps no piece of a body that came in pieces, and hands out no bytes but the body’s', async () => {
    const reader = new BodyReader({ ...LIMITS, bodyBytesMax: 100_000, heldBytesMax: 100_000 });
    const { stream, results } = reading(reader);
    const pieces = Array.from('0123456789'.repeat(1000), (character) => Buffer.from(character));
    for (const piece of pieces) stream.write(piece);
    stream.end();
    await turn();
    expect(textOf(results[0])).toBe('0123456789'.repeat(1000));
    expect(pieces.slice(1).every((piece) => piece[0] === 0)).toBe(true);
  });

  it('judges an announced length', () => {
    const reader = new BodyReader(LIMITS);
    expect([undefined, '0', '10', '11'].map((length) => reader.refusesLength(length))).toEqual([false, false, false, true]);
  });
});
