/** README's table of what is done in tokens, composed, in software or not at all is what the running code says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { capabilityTable } from '../support/capability-table.ts';
import type { Column } from '../support/capability-table.ts';
import { keyStoreSubjects } from '../support/key-store-subjects.ts';

const readme = fileURLToPath(new URL('../../README.md', import.meta.url));
const [begin, end] = [
  '<!-- capabilities: made by HSM_KMS_WRITE_README=1 npm test -- readme-capabilities -->',
  '<!-- end of capabilities -->',
];
const shown: readonly [name: string, subject: string][] = [
  ['SoftHSM', 'SoftHSM, resident, derived'],
  ['NSS softokn', 'NSS softokn, resident, derived'],
  ['software', 'software'],
];

const columns: Column[] = [];
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  for (const [name, subjectName] of shown) {
    const subject = keyStoreSubjects.find((candidate) => candidate.name === subjectName);
    if (subject?.available() !== true) throw new Error(`${subjectName} is needed to make the table and is not installed`);
    const open = await subject.open();
    const store = await open.openStore();
    closers.unshift(
      () => store.close(),
      () => open.close(),
    );
    columns.push({ name, store });
  }
});
afterAll(async () => {
  for (const close of closers) await close();
});

test('the table of README is the one that the key stores give', () => {
  const text = readFileSync(readme, 'utf8');
  const [before, after] = [text.slice(0, text.indexOf(begin) + begin.length), text.slice(text.indexOf(end))];
  const whole = [before, '', ...capabilityTable(columns), '', after].join('\n');
  if (process.env['HSM_KMS_WRITE_README'] === '1') writeFileSync(readme, whole);
  expect(readFileSync(readme, 'utf8')).toBe(whole);
});
