import { expect, test } from 'vitest';
import { messageBytesMax, TpmReader, TpmWriter, uint32 } from '../../../src/tpm/marshalling.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const readerOf = (text: string): TpmReader => new TpmReader(Buffer.from(text, 'hex'), 'the answer');

test('integers are big-endian and sized buffers carry their length in 16 bits', () => {
  const writer = new TpmWriter();
  writer.u8(1).u16(0x0203).u32(0x8405_0607).sized(Uint8Array.of(8, 9));
  writer.sizedBy((inner) => inner.u16(0xffff).sizedBy((innermost) => innermost.u8(7)));
  expect(hex(writer.written())).toBe('01020384050607000208090005ffff000107');
  expect(hex(uint32(0x8000_0001))).toBe('80000001');
});

test('a message longer than any TPM takes is not written', () => {
  expect(() => new TpmWriter().bytes(new Uint8Array(messageBytesMax)).u8(0)).toThrow(RangeError);
});

test('what was written can be wiped, in the array that was given out too', () => {
  const writer = new TpmWriter().u32(0xffff_ffff);
  const written = writer.written();
  writer.wipe();
  expect(hex(written)).toBe('00000000');
  expect(writer.written()).toHaveLength(0);
});

test.each([
  ['an integer', (reader: TpmReader) => reader.u32(), '000000'],
  ['a sized buffer', (reader: TpmReader) => reader.sized(4), '000201'],
  ['the length of a sized buffer', (reader: TpmReader) => reader.sized(4), '00'],
])('%s that ends too early is malformed', (_, read, text) => {
  expect(() => read(readerOf(text))).toThrow('the answer is malformed: it ends too early');
});

test('a sized buffer and a list that are longer than allowed are malformed, however long the message is', () => {
  expect(() => readerOf('0003010203').sized(2)).toThrow('a field of 3 bytes where 2 are the most');
  expect(() => readerOf('ffffffff').count(8)).toThrow('a list of 4294967295 where 8 are the most');
});

test('bytes that are left over are malformed', () => {
  const reader = readerOf('0102');
  expect(reader.u8()).toBe(1);
  expect(() => reader.end()).toThrow('1 bytes too many');
});
