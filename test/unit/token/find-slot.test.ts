import { describe, expect, it } from 'vitest';
import { boundThreads, findSlot } from '../../../src/token/find-slot.ts';
import { FakeDevice } from '../../support/fake-cryptoki.ts';

const { slot } = new FakeDevice();
const other = { ...slot, slotId: '8', label: 'other', serial: '0002' };
const empty = { ...slot, slotId: '9', tokenPresent: false };

describe('the slot of a token', () => {
  it('is found by label or by serial number, whatever its number and position', () => {
    expect(findSlot([empty, other, slot], { label: 'fake', serial: undefined })).toBe(slot);
    expect(findSlot([slot, other], { label: undefined, serial: '0002' })).toBe(other);
  });

  it('must be the only one', () => {
    const twin = { ...other, label: 'fake' };
    expect(() => findSlot([slot, twin], { label: 'fake', serial: undefined })).toThrow(
      /2 tokens with the label "fake": name the one by its serial number.*0001.*0002/,
    );
  });

  it('is not guessed: the error lists what is there', () => {
    expect(() => findSlot([slot, empty], { label: 'kms', serial: undefined })).toThrow(
      'there is no token with the label "kms"; the module shows "fake" (serial 0001, memory), an empty slot',
    );
    expect(() => findSlot([], { label: undefined, serial: '1' })).toThrow(
      'there is no token with the serial number 1; the module shows no slots',
    );
  });
});

describe('the number of threads', () => {
  const wanted = { fast: 32, anchor: 1, slow: 4 };

  it('is what was asked for where the token sets no limit', () => {
    expect(boundThreads(wanted, undefined)).toEqual(wanted);
    expect(boundThreads(wanted, 0)).toEqual(wanted);
    expect(boundThreads(wanted, 100)).toEqual(wanted);
  });

  it('stays within the sessions of the token, fast ones giving way first', () => {
    expect(boundThreads(wanted, 16)).toEqual({ fast: 11, anchor: 1, slow: 4 });
    expect(boundThreads(wanted, 4)).toEqual({ fast: 1, anchor: 1, slow: 2 });
    expect(boundThreads(wanted, 3)).toEqual({ fast: 1, anchor: 1, slow: 1 });
  });

  it('is at least one of each class', () => {
    expect(() => boundThreads(wanted, 2)).toThrow(/three are needed/);
  });
});
