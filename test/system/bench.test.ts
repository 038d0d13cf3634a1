/** The benchmark as a person runs it, short: every layer is really there, its figures fit together, and nothing is left behind. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyUsesOutstanding } from '../../src/bench/key-uses.ts';
import { allLayers, quickPlan } from '../../src/bench/plan.ts';
import type { LayerName, MeasuredCell, Observation } from '../../src/bench/observation.ts';
import type { BenchResults } from '../../src/bench/results.ts';
import type { TargetRow } from '../../src/bench/targets.ts';
import { type CliResult, buildProgram, runCli } from '../support/daemon.ts';

const runTimeoutMs = 300_000;
const sites = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('hsm-kms-bench-'));

describe('hsm-kms bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hsm-kms-test-'));
  const at = (name: string): string => join(folder, name);
  let sitesBefore: readonly string[];
  let run: CliResult;
  let results: BenchResults & { readonly targets: readonly TargetRow[] };

  beforeAll(async () => {
    buildProgram();
    sitesBefore = sites();
    run = await runCli(['bench', '--quick', '--rounds', '1', '--window', '100', '--json', at('bench.json'), '--html', at('bench.html')]);
    if (run.code === 0) results = JSON.parse(readFileSync(at('bench.json'), 'utf8')) as typeof results;
  }, runTimeoutMs);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function observation(layer: LayerName, outstanding: number, cells: readonly MeasuredCell[] = results.main.cells): Observation {
    const cell = cells.find(
      (candidate) => candidate.layer === layer && candidate.outstanding === outstanding && candidate.workload.operation === 'Encrypt',
    );
    return cell!.rounds[0]!;
  }

  it('measures every layer without a failure', () => {
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).not.toContain('FAILED');
    expect(new Set(results.main.cells.map((cell) => cell.layer))).toEqual(new Set(allLayers));
    for (const cell of results.main.cells) expect(cell.rounds[0]!.operations).toBeGreaterThan(0);
  });

  it('sees a token host at work where there is one, and none where there is none', () => {
    for (const layer of ['host', 'host-token-key', 'kms-host', 'http-host'] as const)
      expect(observation(layer, 32).cpuUs['token host']).toBeGreaterThan(0);
    for (const layer of ['addon', 'kms', 'http', 'https'] as const) expect(observation(layer, 32).cpuUs).not.toHaveProperty('token host');
  });

  it('finds that each layer outwards answers later than the one inside it', () => {
    expect(observation('http', 1).p50Us!).toBeGreaterThan(observation('kms', 1).p50Us!);
    expect(observation('http', 32).cpuUs['load generator']).toBeGreaterThan(0);
    expect(observation('https', 32).residentBytes.service).toBeGreaterThan(20e6);
  });

  it('measures a module that really sleeps 2 ms in each of the two calls of an operation', () => {
    const { sessions, cells } = results.slow!;
    expect(observation('c', sessions, cells).operations / observation('c', sessions, cells).seconds).toBeLessThan(sessions / 0.004);
    for (const layer of ['addon', 'host'] as const) expect(observation(layer, sessions, cells).p50Us!).toBeGreaterThan(4_000);
  });

  it('judges every target by its median, and prints it beside what was reached', () => {
    expect(results.targets.map((target) => target.id)).toEqual(expect.arrayContaining(['T1', 'T2', 'T3', 'T4', 'T5', 'T8']));
    for (const target of results.targets) {
      expect(run.stdout).toContain(target.what);
      const reached = target.reached!.median;
      expect(target.verdict).toBe((target.comparison === '>=' ? reached >= target.target : reached <= target.target) ? 'pass' : 'miss');
    }
  });

  it('uses keys of other specs through the pipeline and beside it, and says what the ceiling is', () => {
    const { cells, failures } = results.keyUses!;
    expect(failures).toEqual([]);
    const layersOf = (operation: string): ReadonlySet<LayerName> =>
      new Set(cells.filter((cell) => cell.workload.operation === operation).map((cell) => cell.layer));
    expect(layersOf('Sign')).toEqual(new Set(['c-token-key', 'key-store', 'key-use', 'node-crypto', 'software-store', 'software-use']));
    expect(layersOf('Verify')).toEqual(new Set(['node-crypto', 'software-use']));
    for (const cell of cells) expect(cell).toMatchObject({ outstanding: keyUsesOutstanding, rounds: [{ operations: expect.any(Number) }] });
  });

  it('shows what the number of keys costs, with keys that are really in the store', () => {
    const { sizes, starts, pipeline, served } = results.scale!;
    expect(sizes).toEqual(quickPlan.scaleSizes);
    expect(starts.map(({ keys }) => keys)).toEqual(sizes);
    expect(starts.at(-1)!.residentBytesReady).toBeGreaterThan(starts[0]!.residentBytesReady);
    for (const cell of [...pipeline.cells, ...served.cells]) expect(cell.rounds[0]!.operations).toBeGreaterThan(0);
    const cold = pipeline.cells.find((cell) => cell.workload.access === 'cold')!;
    const hot = pipeline.cells.find((cell) => cell.workload.operation === 'Encrypt' && cell.workload.access === undefined)!;
    expect(cold.rounds[0]!.p50Us!).toBeGreaterThan(2 * hot.rounds[0]!.p50Us!);
  });

  it('writes a page that needs nothing else, and leaves nothing behind', () => {
    const page = readFileSync(at('bench.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/(?:src|href)=|https?:\/\//);
    expect(sites()).toEqual(sitesBefore);
  });

  it('refuses layers that do not exist, with what is allowed', async () => {
    const refused = await runCli(['bench', '--layers', 'h']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('a to g');
  });
});
