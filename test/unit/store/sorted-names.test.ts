import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedNames } from '../../../src/store/sorted-names.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'alias/x', 'alias/y');
const step = fc.record({ act: fc.constantFrom('add', 'delete'), name });

test('after any adds and deletes, pages are what a sorted set gives', () => {
  fc.assert(
    fc.property(fc.array(step), fc.option(name, { nil: undefined }), fc.integer({ min: 1, max: 5 }), (steps, after, limit) => {
      const names = new SortedNames();
      const model = new Set<string>();
      for (const { act, name } of steps) {
        if (act === 'add') {
          names.add(name);
          model.add(name);
        } else {
          names.delete(name);
          model.delete(name);
        }
      }
      const expected = [...model].toSorted().filter((one) => after === undefined || one > after);
      expect(names.after(after, limit)).toEqual(expected.slice(0, limit));
      expect(names.size).toBe(model.size);
    }),
  );
});

test('names added together stand among those that were there', () => {
  const names = new SortedNames();
  names.add('m');
  names.addAll(['z', 'a', 'n']);
  expect(names.after(undefined, 10)).toEqual(['a', 'm', 'n', 'z']);
});

test('an insert among 100,000 names takes well under a millisecond', () => {
  const names = new SortedNames();
  names.addAll(Array.from({ length: 100_000 }, (_, index) => String(index).padStart(6, '0')));
  const started = performance.now();
  for (let index = 0; index < 1_000; index++) names.add(`${String(index * 97).padStart(6, '0')}+`);
  expect(performance.now() - started).toBeLessThan(500);
});
