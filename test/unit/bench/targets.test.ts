import { describe, expect, it } from 'vitest';
import type { LayerName, MeasuredCell, Observation, Workload } from '../../../src/bench/observation.ts';
import { encrypt32 } from '../../../src/bench/plan.ts';
import { htmlReport } from '../../../src/bench/report/html-report.ts';
import { textReport } from '../../../src/bench/report/text-report.ts';
import type { BenchResults } from '../../../src/bench/results.ts';
import { judgeTargets } from '../../../src/bench/targets.ts';

function observation(perSecond: number, changes: Partial<Observation> = {}): Observation {
  return {
    operations: perSecond,
    seconds: 1,
    p50Us: 100,
    p99Us: 1000,
    cpuUs: { service: perSecond * 20 },
    residentBytes: { service: 100e6 },
    ...changes,
  };
}

function cell(layer: LayerName, outstanding: number, rounds: readonly Observation[], workload: Workload = encrypt32): MeasuredCell {
  return { layer, workload, outstanding, rounds };
}

function resultsWith(cells: readonly MeasuredCell[], changes: Partial<BenchResults> = {}): BenchResults {
  return {
    startedAt: '2026-01-01T00:00:00Z',
    machine: { cpu: 'a <fast> one', cpus: 2, kernel: 'Linux', node: '20', loadAverage: 0 },
    token: 'token',
    threads: 1,
    keys: 1,
    windowMs: 100,
    main: { cells, failures: [], roundsDone: 3 },
    slow: undefined,
    none: undefined,
    ...changes,
  };
}

/** A cell of requests that take so much CPU each. */
function cellAtCpu(layer: LayerName, us: number): MeasuredCell {
  return cell(layer, 32, [observation(1_000, { cpuUs: { service: us * 1_000 } })]);
}

function verdicts(results: BenchResults, id: string): readonly string[] {
  return judgeTargets(results)
    .filter((row) => row.id === id)
    .map((row) => row.verdict);
}

describe('the targets', () => {
  it('are judged by the median of the rounds, and one that was not measured is no pass', () => {
    const kms = cell('kms', 64, [observation(50_000), observation(61_000), observation(70_000)]);
    expect(verdicts(resultsWith([kms]), 'T5')).toEqual(['pass', 'not measured']);
    const slower = cell('kms', 64, [observation(50_000), observation(59_000), observation(70_000)]);
    const c = cell('c-token-key', 64, [observation(40_000), observation(50_000), observation(60_000)]);
    expect(verdicts(resultsWith([slower, c]), 'T5')).toEqual(['miss', 'miss']);
  });

  it('count the CPU of every process that serves, and not that of the load generator', () => {
    const busy = observation(20_000, { cpuUs: { service: 20_000 * 30, 'token host': 20_000 * 15, 'load generator': 20_000 * 100 } });
    const [, , , cpu] = judgeTargets(resultsWith([cell('http-host', 32, [busy])])).filter((row) => row.id === 'T3');
    expect(cpu).toMatchObject({ reached: { median: 45 }, target: 50, verdict: 'pass' });
  });

  it('compare keys of other specs with C over the same kind of object', () => {
    const workload: Workload = { operation: 'Sign', bytes: 32, key: { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256' } };
    const cells = [
      cell('c-token-key', 8, [observation(1_000)], workload),
      cell('key-use', 8, [observation(950, { loopDelayP99Ms: 7 })], workload),
    ];
    const rows = judgeTargets(resultsWith([], { keyUses: { cells, failures: [], roundsDone: 1 } })).filter((row) => row.id === 'T6');
    const measured = rows.filter((row) => row.what.includes('ECC_NIST_P256'));
    expect(measured.map((row) => row.verdict)).toEqual(['pass', 'miss']);
    expect(rows.filter((row) => !measured.includes(row)).every((row) => row.verdict === 'not measured')).toBe(true);
  });

  it('compare the CPU of a request with many keys with that of few, and take the memory from there', () => {
    const results = resultsWith([], {
      scale: {
        sizes: [100, 10_000],
        realKeys: 100,
        pipeline: { cells: [cellAtCpu('keys-100', 1), cellAtCpu('keys-10000', 9)], failures: [], roundsDone: 1 },
        served: { cells: [cellAtCpu('served-100', 100), cellAtCpu('served-10000', 104)], failures: [], roundsDone: 1 },
        starts: [],
      },
    });
    expect(judgeTargets(results).find((row) => row.id === 'T7')).toMatchObject({ reached: { median: 1.04 }, verdict: 'pass' });
    expect(judgeTargets(results).find((row) => row.id === 'T8')).toMatchObject({ reached: { median: 100 }, verdict: 'pass' });
    expect(textReport(results)).toMatch(/^Encrypt 32 B +100 \(1,000\) +104 \(1,000\) +1\.04 /m);
  });

  it('compare process isolation with the same round in process', () => {
    const addon = cell('addon', 32, [observation(1_000, { p50Us: 100 }), observation(1_000, { p50Us: 500 })]);
    const host = cell('host', 32, [observation(1_000, { p50Us: 150 }), observation(1_000, { p50Us: 560 })]);
    const [cpu, latency] = judgeTargets(resultsWith([addon, host])).filter((row) => row.id === 'T4');
    expect(cpu).toMatchObject({ reached: { median: 0 }, verdict: 'pass' });
    expect(latency).toMatchObject({ reached: { median: 55, lowest: 50, highest: 60 }, verdict: 'pass' });
  });
});

describe('the reports', () => {
  const results = resultsWith([cell('c', 64, [observation(100_000)]), cell('kms', 64, [observation(50_000)])], {
    main: {
      cells: [cell('c', 64, [observation(100_000)]), cell('kms', 64, [observation(50_000)])],
      failures: [{ layer: 'http', workload: encrypt32, outstanding: 1, reason: 'connection refused' }],
      roundsDone: 1,
    },
  });

  it('print each layer with its ratio to C, and what failed', () => {
    const text = textReport(results);
    expect(text).toMatch(/^\(d\) KMS pipeline, isolation none +50,000 \(50,000-50,000\) +0\.5 /m);
    expect(text).toMatch(/^FAILED: \(e\) HTTP \+ SigV4, isolation none, Encrypt 32 B, 1 outstanding: connection refused$/m);
  });

  it('draw a bar for each layer and escape what they did not write themselves', () => {
    const page = htmlReport(results);
    expect(page.match(/<rect /g)).toHaveLength(2);
    expect(page).toContain('a &lt;fast&gt; one');
  });
});
