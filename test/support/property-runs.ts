/** How often a property is tried: HSM_KMS_SEED repeats a run, HSM_KMS_TEST_FULL makes it a long one. */
const seedDefault = 20_261_123;
/** So that the search for a shorter counterexample ends before the time of its test, which would hide the one that was found. */
const quickMsMax = 480_000;

/** Parameters of fast-check. `quick` runs of the property, or `full` ones. */
export function propertyRuns({ quick, full }: { readonly quick: number; readonly full: number }): {
  readonly numRuns: number;
  readonly seed: number;
  readonly interruptAfterTimeLimit?: number;
  readonly markInterruptAsFailure: boolean;
} {
  const isFull = process.env['HSM_KMS_TEST_FULL'] !== undefined;
  return {
    numRuns: isFull ? full : quick,
    seed: Number(process.env['HSM_KMS_SEED'] ?? seedDefault),
    ...(!isFull && { interruptAfterTimeLimit: quickMsMax }),
    markInterruptAsFailure: true,
  };
}
