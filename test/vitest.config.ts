/** Unit and contract tests: fast, no daemon process. System and fault tests have configurations of their own. */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts', 'test/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Vitest leaves a CPU to itself, half of a small machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
