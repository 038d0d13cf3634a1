/** The repository checks itself: the map, the layers, names, exports, and what the README owes its readers. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '');
const sources = files.filter((file) => file.startsWith('src/') && file.endsWith('.ts'));

interface MapRow {
  readonly folder: string;
  readonly mayImport: readonly string[] | 'everything';
}

const map = [...read('src/README.md').matchAll(/^\| `([\w-]+)` \| (.+) \| ([^|]+) \|$/gm)].map(
  ([, folder = '', , imports = '']): MapRow => {
    if (imports === 'everything') return { folder, mayImport: 'everything' };
    return { folder, mayImport: imports === 'nothing' ? [] : imports.split(', ') };
  },
);

interface LintOverride {
  readonly files: readonly string[];
  readonly rules: {
    readonly 'no-restricted-imports'?: readonly [string, { readonly patterns: readonly [{ readonly group: readonly string[] }] }];
  };
}
const overrides = (JSON.parse(read('.oxlintrc.json')) as { overrides: readonly LintOverride[] }).overrides;

/** Layers that the linter keeps a folder from importing; undefined where it has no rule for it. */
function forbiddenByLinter(folder: string): ReadonlySet<string> | undefined {
  const rule = overrides.find((override) => override.files.includes(`src/${folder}/**`))?.rules['no-restricted-imports'];
  return rule && new Set(rule[1].patterns[0].group.map((pattern) => pattern.replaceAll(/\*\*\/|\/\*\*/g, '')));
}

describe('the map of the source', () => {
  it('names every folder of src, and no other', () => {
    const folders = new Set(sources.filter((file) => file.split('/').length > 2).map((file) => file.split('/')[1] ?? ''));
    expect(map.map((row) => row.folder).sort()).toEqual([...folders].sort());
  });

  it('names every folder inside a folder', () => {
    const text = read('src/README.md');
    const inner = new Set(sources.filter((file) => file.split('/').length > 3).map((file) => file.split('/').slice(2, -1).join('/')));
    expect([...inner].filter((folder) => !text.includes(`\`${folder}/\``))).toEqual([]);
  });

  it.each(map)('says of $folder what the linter enforces', ({ folder, mayImport }) => {
    const forbidden = forbiddenByLinter(folder);
    if (mayImport === 'everything') return expect(forbidden).toBeUndefined();
    const allowed = new Set([...mayImport, folder]);
    const layers = forbiddenLayers();
    return expect([...(forbidden ?? [])].sort()).toEqual(layers.filter((layer) => !allowed.has(layer)).sort());
  });
});

/** Every layer that some rule of the linter names. */
function forbiddenLayers(): readonly string[] {
  const named = map.flatMap((row) => [...(forbiddenByLinter(row.folder) ?? [])]);
  return [...new Set(named)];
}

describe('source files', () => {
  it('are named by what they are about, never utils, helpers, common or manager', () => {
    expect(files.filter((file) => /\b(utils?|helpers?|common|misc|manager)\b/.test(basename(file).replaceAll('-', ' ')))).toEqual([]);
  });

  it('begin with a comment that says what they are for', () => {
    expect(sources.filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)))).toEqual([]);
  });

  it('leave nothing open and export by name', () => {
    const offences = sources.filter((file) => /\b(TODO|FIXME|XXX)\b|not (yet )?implemented|export \* |export default/i.test(read(file)));
    expect(offences).toEqual([]);
  });

  it('have at most 400 lines unless they are tables', () => {
    const long = sources.filter((file) => !file.startsWith('src/api/') && read(file).split('\n').length > 400);
    expect(long).toEqual([]);
  });
});

describe('the README', () => {
  const manifest = JSON.parse(read('package.json')) as { dependencies: Record<string, string>; bin: Record<string, string> };

  it.each(Object.keys(manifest.dependencies))('says why %s is there, and its licence', (name) => {
    const { license } = JSON.parse(read(`node_modules/${name}/package.json`)) as { license: string };
    expect(read('README.md').includes(`| \`${name}\` | ${license} | `), `${name}, ${license}`).toBe(true);
  });

  it('explains no dependency that is not there', () => {
    const explained = [...read('README.md').matchAll(/^\| `([@\w/-]+)` \| [\w.-]+ \| /gm)].map(([, name]) => name ?? '');
    expect(explained.sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it('names only files that exist', () => {
    const named = [...read('README.md').matchAll(/`((?:src|scripts|test|hsm-config)\/[\w./-]+[\w])`/g)].map(([, name]) => name ?? '');
    const known = new Set(files.flatMap((file) => file.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'))));
    expect(named.filter((name) => !known.has(name) && name !== 'test/results')).toEqual([]);
  });
});
