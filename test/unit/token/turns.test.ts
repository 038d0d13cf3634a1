import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/token/turns.ts';

/** Work that ends when it is told to. */
function jobs(turns: Turns): { start(name: string): Promise<string>; end(name: string): void; readonly running: readonly string[] } {
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    running,
    start: (name) =>
      turns.take(async () => {
        running.push(name);
        await new Promise<void>((resolve) => ends.set(name, resolve));
        running.splice(running.indexOf(name), 1);
        if (name.startsWith('bad')) throw new Error(name);
        return name;
      }),
    end: (name) => ends.get(name)?.(),
  };
}
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('turns', () => {
  it('go to so many at once, to the others in order', async () => {
    const work = jobs(new Turns(2, 10));
    const all = ['a', 'b', 'c', 'd'].map((name) => work.start(name));
    await settle();
    expect(work.running).toEqual(['a', 'b']);
    work.end('b');
    await settle();
    expect(work.running).toEqual(['a', 'c']);
    for (const name of ['a', 'c']) work.end(name);
    await settle();
    work.end('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are given on when work fails', async () => {
    const work = jobs(new Turns(1, 10));
    const bad = work.start('bad');
    const good = work.start('good');
    await settle();
    work.end('bad');
    await expect(bad).rejects.toThrow('bad');
    await settle();
    work.end('good');
    expect(await good).toBe('good');
  });

  it('are refused when too many wait, and free again later', async () => {
    const work = jobs(new Turns(1, 1));
    const first = work.start('first');
    const second = work.start('second');
    await expect(work.start('third')).rejects.toMatchObject({ kind: 'capacity' });
    await settle();
    work.end('first');
    await first;
    await settle();
    work.end('second');
    await second;
    const fourth = work.start('fourth');
    await settle();
    work.end('fourth');
    expect(await fourth).toBe('fourth');
  });
});
